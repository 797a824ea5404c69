"""Several inputs become one, element by element or as products: `(a, b) -> add`. Shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axis
from kdsl.ops.cast import as_float
from kdsl.ops.normalization import unit
from kdsl.ops.operators import combined
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.type_rules import positive_axis
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Merge(Layer):
    """Joins its inputs from left to right with the op `ir`."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    listed = True
    ir: ClassVar[str]

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        for type in types:
            refuse_classes(cls.name, type)

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        return cls.merged(build, values, build.layer)

    @classmethod
    def merged(cls, build: Builder, values: Sequence[str], name: str) -> str:
        total, *rest = (as_float(build, value) for value in values)
        for number, value in enumerate(rest, 1):
            total = combined(build, cls.ir, [total, value], f"`{cls.name}`", name if number == len(rest) else "")
        return total


@layer("add")
class Add(Merge):
    """`y = a + b + ...`, of two inputs or more.

    ```kmodel
    h = (main, skip) -> add -> relu
    ```
    Source: keras/src/layers/merging/add.py. `(main + skip) -> relu` says the same.
    """

    ir = "add"
    keras = ("Add", "add")
    torch = ("add",)


@layer("subtract")
class Subtract(Merge):
    """`y = a - b`.

    ```kmodel
    difference = (left, right) -> subtract
    ```
    Source: keras/src/layers/merging/subtract.py.
    """

    arity = (2, 2)
    ir = "subtract"
    keras = ("Subtract", "subtract")
    torch = ("sub", "subtract")


@layer("multiply")
class Multiply(Merge):
    """`y = a * b * ...`, of two inputs or more, element by element.

    ```kmodel
    gated = (x, gate) -> multiply
    ```
    Source: keras/src/layers/merging/multiply.py.
    """

    ir = "multiply"
    keras = ("Multiply", "multiply")
    torch = ("mul", "multiply")


@layer("average")
class Average(Merge):
    """`y = (a + b + ...) / n`, the mean of the inputs, element by element.

    ```kmodel
    ensemble = (first, second, third) -> average
    ```
    Source: keras/src/layers/merging/average.py. The mean along an axis is `mean`.
    """

    ir = "add"
    keras = ("Average", "average")

    @classmethod
    def merged(cls, build: Builder, values: Sequence[str], name: str) -> str:
        total = super().merged(build, values, build.path("sum"))
        return build.add("divide", [total, build.constant(float(len(values)), build.path("count"))], name=name)


@layer("dot")
class Dot(Layer):
    """The products of two inputs, summed over an axis of each, the last ones where none is given.

    [a, K] and [b, K] give [a, b]; two vectors [K] give [1]. `normalize` makes it the cosine of the angle between them.

    ```kmodel
    similarity = (query, document) -> dot(normalize = true)
    ```
    Source: keras/src/layers/merging/dot.py, whose axes count the batch: its `axes = 1` is `axis = 0` here.
    """

    arity = (2, 2)
    listed = True
    keras = ("Dot", "dot", "batch_dot")
    torch = ("CosineSimilarity",)
    axis = Param("axes", "the axis of both inputs, or a list of one for each", (-1,), positional=True, keras="axes")
    normalize = Param("bool", "divide both by their length along the axis first", False)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        given = arguments["axis"]
        if given is None or len(given) not in (1, 2):
            raise Refused(
                "E412",
                f"`dot` sums over one axis of each input, but gets {len(given or ())} axes",
                argument="axis",
                help="`axis = -1`, or one for each: `axis = [0, 1]`",
            )
        axes = given * 2 if len(given) == 1 else given
        for place, (axis, type) in enumerate(zip(axes, types, strict=True)):
            refuse_classes("dot", type)
            if type.rank == 0:
                raise Refused(
                    "E401",
                    f"`dot` multiplies vectors, but {{{place}}} is a single number",
                    label="wants at least one axis",
                    help="`*` multiplies by a number",
                )
            check_axis("dot", axis, type)
        sizes = [type.shape[axis] for axis, type in zip(axes, types, strict=True)]
        if sizes[0] != sizes[1]:
            raise Refused(
                "E402",
                f"`dot` cannot sum over axis {axes[0]} of {types[0].dims} and axis {axes[1]} of {types[1].dims}: "
                f"{sizes[0]} against {sizes[1]} places",
                help="the axes that are summed over have the same size",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        axes = arguments["axis"] * 2 if len(arguments["axis"]) == 1 else arguments["axis"]
        sides, terms, letters = [], [], iter(ascii_letters)
        summed = next(letters)
        for value, axis in zip(values, axes, strict=True):
            side = as_float(build, value)
            rank = build.type_of(side).rank
            place = positive_axis(axis, rank)
            if arguments["normalize"]:
                side = unit(build, side, (place,), 1e-7, build.path("unit"))
            sides.append(side)
            terms.append("".join(summed if i == place else next(letters) for i in range(rank)))
        result = "".join(terms).replace(summed, "")
        batched = any(build.type_of(side).batched for side in sides)
        attributes: dict[str, Attribute] = {"equation": f"{','.join(terms)}->{result}", "batched": batched}
        product = build.add("einsum", sides, attributes, name=build.layer if result else "")
        return product if result else build.add("reshape", [product], {"shape": (1,)}, name=build.layer)
