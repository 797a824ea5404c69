"""What a block says it returns, held against what comes out of its body."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.callee import Call
from kdsl.elaborate.constants import is_number, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.dims import names_in
from kdsl.elaborate.layers import Values
from kdsl.elaborate.misfits import size_from_nowhere, written
from kdsl.elaborate.scope import UNKNOWN, Tensor, Unknown
from kdsl.elaborate.statements import Returned
from kdsl.elaborate.trail import shapes
from kdsl.elaborate.types import TENSORS, unknown_type
from kdsl.elaborate.unify import is_open
from kdsl.elaborate.words import counted, short
from kdsl.records import dataclass
from kdsl.source import Span
from kdsl.syntax import tree


@dataclass(frozen=True)
class Declared:
    """One declared result in a call: None stands for whatever comes out."""

    node: tree.TypeRef
    dtype: str | None
    shape: tuple[int | None, ...]
    classes: int | None = None

    @property
    def text(self) -> str:
        name = self.dtype or "_"
        if self.classes is not None:
            name = f"index({self.classes})"
        sizes = ", ".join("_" if size is None else str(size) for size in self.shape)
        return f"{name}[{sizes}]" if self.shape else name

    def allows(self, value: Tensor) -> bool:
        type = value.type
        if self.dtype is None:
            return True
        return (
            type.dtype == self.dtype
            and type.rank == len(self.shape)
            and all(size in (None, given) for size, given in zip(self.shape, type.shape, strict=True))
            and self.classes in (None, type.classes)
        )


def declared_results(
    body: Context, call: Call, sizes: dict[str, int], inputs: Sequence[Tensor]
) -> tuple[Declared, ...] | None:
    """The result types with the sizes of this call; None where one of them makes no sense, which is reported."""
    block = call.definition.item
    assert isinstance(block, tree.Block)
    found = [declared(body, call, node, sizes, inputs) for node in block.results]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


def declared(
    body: Context, call: Call, node: tree.TypeRef, sizes: dict[str, int], inputs: Sequence[Tensor]
) -> Declared | None:
    name = node.name.text
    if name == "_" and node.shape is None:
        return Declared(node, None, ())
    if name not in TENSORS:
        unknown_type(body, node)
        return None
    shape: list[int | None] = []
    for place in (*(node.shape or ()), *([node.argument] if node.argument is not None else [])):
        if is_open(place):
            shape.append(None)
            continue
        stray = next((name for name in names_in(place) if body.scope.find(name) is None), None)
        if stray is not None and stray[:1].isupper():
            size_from_nowhere(body, stray, place)
            return None
        value = evaluate.constant(body.only_constants("a size"), place, "a size")
        if value is None:
            return None
        if not is_number(value):
            body.report.error("E306", f"a shape takes whole numbers, not {kind_of(value)}", place.span)
            return None
        if value != int(value) or value < 1:  # type: ignore[arg-type]
            inexact(body, call, place, value, sizes, inputs)
            return None
        shape.append(int(value))
    classes = shape.pop() if node.argument is not None else None
    return Declared(node, TENSORS[name], tuple(shape), classes)


def inexact(
    body: Context, call: Call, place: tree.Value, value: object, sizes: dict[str, int], inputs: Sequence[Tensor]
) -> None:
    """`H / 2` where H is odd: the type does not say which way to round."""
    text = short(place.span.text)
    shown = show(value)  # type: ignore[arg-type]
    bound = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    whole = isinstance(value, Fraction) and value.denominator == 1
    body.report.error(
        "E410" if whole else "E421",
        f"a size is at least 1, and `{text}` is {shown} in this call of `{call.name}`"
        if whole
        else f"`{text}` is not a whole number in this call of `{call.name}`: "
        + (f"{value.numerator} / {value.denominator}" if isinstance(value, Fraction) else shown),
        place.span,
        secondary=[Label(call.span, f"here {bound}" if bound else "called here")],
        notes=[shapes(inputs[0].trail, call.name)] if inputs else [],
        help=""
        if whole
        else f"`floor({text})` or `ceil({text})` says which way it is rounded, `_` leaves it to what comes out",
    )


def check_results(body: Context, call: Call, returned: Returned | None, declared: Sequence[Declared]) -> Values:
    """The results, if they are what the block says it returns."""
    block = call.definition.item
    assert isinstance(block, tree.Block)
    unknown: Values = (UNKNOWN,) * max(1, len(block.results))
    if returned is None or any(isinstance(value, Unknown) for value, _ in returned.values):
        return unknown
    if len(returned.values) != len(declared):
        body.report.error(
            "E422",
            f"`{call.name}` says it returns {counted(len(declared), 'value')}, and this returns {len(returned.values)}",
            returned.at,
            secondary=[Label(each.node.span, "declared here") for each in declared[:1]],
            help="each result has its type: `-> f32[A], f32[B]`",
        )
        return unknown
    results: list[Tensor] = []
    for (value, at), wanted in zip(returned.values, declared, strict=True):
        if not isinstance(value, Tensor):
            message = f"a block returns tensors, and `{short(at.text)}` is {kind_of(value)}"  # type: ignore[arg-type]
            body.report.error("E316", message, at)
            return unknown
        if not wanted.allows(value):
            differs(body, call, value, at, wanted)
            return unknown
        results.append(value)
    return tuple(results)


def differs(body: Context, call: Call, value: Tensor, at: Span, wanted: Declared) -> None:
    source = short(wanted.node.span.text)
    label = "declared here" if source == wanted.text else f"here {wanted.text}"
    type = value.type
    help = f"`-> {written(type)}` would be its type in this call"
    if type.dtype == wanted.dtype and type.rank == len(wanted.shape):
        pairs = enumerate(zip(wanted.shape, type.shape, strict=True))
        number, (size, given) = next((n, pair) for n, pair in pairs if pair[0] not in (None, pair[1]))
        help = f"axis {number} is {given}, and the type says {size}; `_` in its place stands for whatever comes out"
    body.report.error(
        "E422",
        f"`{call.name}` says it returns {source}, and this is {written(type)}",
        at,
        secondary=[Label(wanted.node.span, label)],
        notes=[shapes(value.trail)],
        help=help,
    )
