"""Operators of tensor expressions: what `+`, `@`, `<`, `and` ... on values add to a graph.

Pure functions over a builder: they check the operands, turn integers into floats, make axes of batched operands agree in
number, and raise Refused where the operands do not fit. Names of the operands stand as `{0}` and `{1}` in the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import TYPE_CHECKING

from kdsl.graph.graph import SOURCES
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Refused
from kdsl.ops.type_rules import broadcast_shape
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}
ORDER = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
EQUALITY = {"==": "equal", "!=": "not_equal"}
LOGIC = {"and": "logical_and", "or": "logical_or"}


def binary(build: Builder, operator: str, left: str, right: str, name: str = "") -> str:
    """`left operator right` -> the value's name. Comparisons and logic give a bool, all else f32."""
    if operator == "@":
        return matmul(build, left, right, name)
    if operator in LOGIC:
        sides = [truth(build, value, f"`{operator}` combines conditions") for value in (left, right)]
        return combined(build, LOGIC[operator], sides, f"`{operator}`", name)
    if operator not in EQUALITY:  # a class may be told from another, but it has no size
        for value in (left, right):
            refuse_classes(operator, build.type_of(value))
    op = {**ARITHMETIC, **ORDER, **EQUALITY}[operator]
    return combined(build, op, [as_float(build, value) for value in (left, right)], f"`{operator}`", name)


def unary(build: Builder, operator: str, value: str, name: str = "") -> str:
    """`-value` or `not value` -> the value's name."""
    if operator == "not":
        return build.add("logical_not", [truth(build, value, "`not` turns a condition round")], name=name)
    refuse_classes(operator, build.type_of(value))
    return build.add("negative", [as_float(build, value)], name=name)


def truth(build: Builder, value: str, what: str) -> str:
    """A condition as logic takes it: a computed bool as it is, an input or target of bools as 0 and 1."""
    type = build.type_of(value)
    if type.dtype != "bool":
        raise Refused(
            "E416",
            f"{what}, but gets {'classes' if type.dtype == 'index' else 'numbers'}: {type}",
            label="wants true or false",
            help="compare first, as in `x > 0`",
        )
    return as_float(build, value) if build.op_of(value) in SOURCES else value


def combined(build: Builder, op: str, values: Sequence[str], what: str, name: str = "") -> str:
    """An elementwise op on values that broadcast; `what` is how a message calls it."""
    return build.add(op, aligned(build, values, what), name=name)


def aligned(build: Builder, values: Sequence[str], what: str) -> list[str]:
    """The values, batched ones with as many axes as the result has: NumPy aligns shapes at their ends, batch included."""
    shapes = [build.type_of(value).shape for value in values]
    if broadcast_shape(shapes) is None:
        raise _different_shapes(shapes, what)
    rank = max(map(len, shapes))
    return [
        reshaped(build, value, (1,) * (rank - len(shape)) + shape) if build.type_of(value).batched else value
        for value, shape in zip(values, shapes, strict=True)
    ]


def _different_shapes(shapes: Sequence[tuple[int, ...]], what: str) -> Refused:
    """Names the last axis on which two of the shapes differ."""
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = sorted({shape[-axis] for shape in shapes if len(shape) >= axis} - {1})
        if len(sizes) > 1:
            break
    shown = [f"[{', '.join(map(str, shape))}]" for shape in shapes]
    whose = f"the two sides of {what}" if len(shapes) == 2 else f"the inputs of {what}"
    return Refused(
        "E402",
        f"{whose} have different shapes: {', '.join(shown[:-1])} and {shown[-1]}",
        help=f"axis -{axis} is {sizes[0]} and {sizes[1]}; sizes must be equal, or 1, counted from the last axis",
    )


def reshaped(build: Builder, value: str, shape: tuple[int, ...], name: str = "") -> str:
    """The value with another shape of as many elements; itself, where it has that shape."""
    if build.type_of(value).shape == shape:
        return value
    return build.add("reshape", [value], {"shape": shape}, name=name or f"{value}.reshape")


def matmul(build: Builder, left: str, right: str, name: str = "") -> str:
    """`left @ right`, NumPy's: matrices of the last two axes, leading axes broadcast, a vector is a row or a column."""
    for value in (left, right):
        refuse_classes("@", build.type_of(value))
    left, right = as_float(build, left), as_float(build, right)
    x, y = build.type_of(left), build.type_of(right)
    for place, type in enumerate((x, y)):
        if type.rank == 0:
            raise Refused(
                "E401",
                f"`@` multiplies matrices, but {{{place}}} is a single number",
                label="wants vectors or matrices",
                help="`*` multiplies by a number",
            )
    inner = y.shape[-2] if y.rank > 1 else y.shape[0]
    if x.shape[-1] != inner:
        whose = "first" if y.rank <= 2 else "last but one"
        raise Refused(
            "E402",
            f"`@` cannot multiply {x.dims} with {y.dims}: {x.shape[-1]} columns against {inner} rows",
            help=f"the last axis of {{0}} and the {whose} axis of {{1}} must be equal"
            + (": turn the right side round, `@ transpose(..)`?" if y.rank == 2 and x.shape[-1] == y.shape[1] else ""),
        )
    if x.batched and not y.batched and y.rank == 2:
        return build.add("matmul", [left, right], name=name)
    return _product_of_stacks(build, left, right, name)


def _product_of_stacks(build: Builder, left: str, right: str, name: str) -> str:
    """A product whose matrices are the last two axes of larger values, as an einsum."""
    stacks = [build.type_of(value).shape[:-2] for value in (left, right)]
    joined = broadcast_shape(stacks)
    if joined is None:
        raise _different_shapes(stacks, "`@`, without their last two axes,")
    letters, row, inner, column = ascii_letters[: len(joined)], "X", "Y", "Z"
    terms, sides = [], []
    for value, stack, matrix in ((left, stacks[0], row + inner), (right, stacks[1], inner + column)):
        shape = build.type_of(value).shape
        # An axis of size 1 that is repeated along the other side's gets no letter.
        places = zip(letters[len(joined) - len(stack) :], stack, joined[len(joined) - len(stack) :], strict=True)
        kept = [(letter, size) for letter, size, whole in places if size == whole]
        own = matrix if len(shape) > 1 else inner
        terms.append("".join(letter for letter, _ in kept) + own)
        sides.append(reshaped(build, value, tuple(size for _, size in kept) + shape[-len(own) :]))
    result = letters + "".join(letter for letter in row + column if letter in "".join(terms))
    batched = any(build.type_of(side).batched for side in sides)
    return build.add("einsum", sides, {"equation": f"{','.join(terms)}->{result}", "batched": batched}, name=name)
