"""Products of tensors along axes that letters name, and their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.equations import check_equation, read_equation
from kdsl.ops.lazy import Array
from kdsl.ops.operators import matmul
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Cost, Layer, Op, Param, layer, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def letters_of(equation: Attribute) -> tuple[str, str, str]:
    """`qd,kd->qk` of an op: the letters of the operands and of the result."""
    left, right, result = str(equation).replace("->", ",").split(",")
    return left, right, result


@op("einsum")
class EinsumProduct(Op):
    """`z` is the sum of `x * y` over the letters that the result lacks. Letters name the axes after the batch.

    No letter stands twice in an operand, none in one operand alone. An operand's batch goes on into the result where
    `batched` says so; else it is summed too, and both have one.
    """

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(*types)
        terms = letters_of(attributes["equation"])
        sizes: dict[str, int] = {}
        for term, type in zip(terms, types, strict=False):
            if len(set(term)) != len(term) or len(term) != type.rank:
                raise ValueError(f"`{term}` does not name the axes of {type}")
            for letter, size in zip(term, type.shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    raise ValueError(f"the letter `{letter}` has two sizes")
        left, right, result = (set(term) for term in terms)
        if (left ^ right) - result or result - left - right or len(result) != len(terms[2]):
            raise ValueError(f"a letter of {attributes['equation']} stands in one operand alone, or in none")
        batches = [type.batched for type in types]
        if attributes["batched"] is not any(batches) and not (all(batches) and attributes["batched"] is False):
            raise ValueError(f"no batch to {'keep' if attributes['batched'] else 'sum'}")
        return TensorType("f32", tuple(sizes[letter] for letter in terms[2]), bool(attributes["batched"]))

    @staticmethod
    def reference(x: Array, y: Array, *, equation: str, batched: bool) -> Array:
        left, right, result = equation.replace("->", ",").split(",")
        left, right, result = (
            "_" * (x.ndim - len(left)) + left,
            "_" * (y.ndim - len(right)) + right,
            "_" * batched + result,
        )
        shared = [c for c in left if c in right and c in result]
        summed = [c for c in left if c in right and c not in result]
        rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
        sizes = {**dict(zip(left, x.shape, strict=True)), **dict(zip(right, y.shape, strict=True))}

        def matrices(a: Array, letters: str, *groups: list[str]) -> Array:
            shape = [sizes[c] for c in groups[0]]
            for group in groups[1:]:
                shape.append(1)
                for c in group:
                    shape[-1] *= sizes[c]
            return a.transpose([letters.index(c) for group in groups for c in group]).reshape(shape)

        product = matrices(x, left, shared, rows, summed) @ matrices(y, right, shared, summed, columns)
        order = [*shared, *rows, *columns]
        return product.reshape([sizes[c] for c in order]).transpose([order.index(c) for c in result])

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        left, right, result = letters_of(node.attribute("equation"))

        def to(operand: str, equation: str, *inputs: str) -> str:
            attributes: dict[str, Attribute] = {"equation": equation, "batched": build.type_of(operand).batched}
            return build.add("einsum", inputs, attributes, name=f"gradient.{operand}")

        return to(x, f"{result},{right}->{left}", upstream, y), to(y, f"{left},{result}->{right}", x, upstream)

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        left, right, _ = letters_of(attributes["equation"])
        sizes = {**dict(zip(left, types[0].shape, strict=True)), **dict(zip(right, types[1].shape, strict=True))}
        return Cost(2 * prod(sizes.values()), sum(type.size for type in types) + result.size)


@layer("einsum")
class Einsum(Layer):
    """Einstein's sum: products of the operands, summed over the letters that the result lacks.

    Each axis after the batch has a letter; the batch has none, it is always kept.

    ```kmodel
    scores = einsum("qd,kd->qk", queries, keys)
    ```
    Source: numpy.einsum, with one explicit result and without diagonals.
    """

    arity = (1, None)
    function = True
    keras = ("einsum",)
    torch = ("einsum",)
    equation = Param("text", "letters of each operand's axes, an arrow, and those of the result", positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        for type in types:
            refuse_classes("einsum", type)
        check_equation(read_equation(arguments["equation"], len(types)), types)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        equation = read_equation(arguments["equation"], len(values))
        operands = []
        for number, (term, value) in enumerate(zip(equation.terms, values, strict=True)):
            others = "".join(equation.terms[:number] + equation.terms[number + 1 :]) + equation.result
            operands.append(_without_lone_letters(build, as_float(build, value), term, others))
        (value, letters), *rest = operands
        for number, (other, term) in enumerate(rest):
            later = "".join(letters for _, letters in rest[number + 1 :]) + equation.result
            last = number == len(rest) - 1
            kept = "".join(dict.fromkeys(letter for letter in letters + term if letter in later))
            result = equation.result if last else kept
            value = product(build, (value, letters), (other, term), result, build.layer if last else "")
            letters = result
        if rest or letters == equation.result:
            return value
        axes = tuple(letters.index(letter) for letter in equation.result)
        return build.add("transpose", [value], {"axes": axes}, name=build.layer)


def _without_lone_letters(build: Builder, value: str, term: str, others: str) -> tuple[str, str]:
    """An operand summed over the axes whose letters stand nowhere else, and the letters that are left."""
    axes = [place for place, letter in enumerate(term) if letter not in others]
    if not axes:
        return value, term
    return reduced(build, "reduce_sum", value, axes), "".join(letter for letter in term if letter in others)


def product(build: Builder, first: tuple[str, str], second: tuple[str, str], result: str, name: str = "") -> str:
    """Two operands (value, letters) multiplied. What is a matrix product with an unbatched matrix becomes `matmul`."""
    for (value, letters), (matrix, two) in ((first, second), (second, first)):
        x, kernel = build.type_of(value), build.type_of(matrix)
        plain = x.batched and not kernel.batched and len(two) == 2 and two[0] == letters[-1:]
        if plain and result == letters[:-1] + two[1]:
            return build.add("matmul", [value, matrix], name=name)
    equation = f"{first[1]},{second[1]}->{result}"
    batched = build.type_of(first[0]).batched or build.type_of(second[0]).batched
    return build.add("einsum", [first[0], second[0]], {"equation": equation, "batched": batched}, name=name)


@layer("matmul")
class MatmulFunction(Layer):
    """`z = x @ y`, also written so: a product of matrices, the last two axes. Leading axes broadcast.

    ```kmodel
    mixed = matmul(attention, values)
    ```
    Source: numpy.matmul.
    """

    arity = (2, 2)
    function = True
    keras = ("matmul",)
    torch = ("matmul", "bmm", "mm")

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return matmul(build, values[0], values[1], name=build.layer)
