"""What is said where a value does not fit the type of a block's input, or a size cannot be known."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate.callee import Call
from kdsl.elaborate.constants import Constant, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.dims import names_in
from kdsl.elaborate.scope import UNKNOWN, Tensor
from kdsl.elaborate.trail import shapes
from kdsl.elaborate.words import short
from kdsl.graph.types import TensorType
from kdsl.records import dataclass, field
from kdsl.syntax import tree


@dataclass(frozen=True)
class Axis:
    """One axis of an input's type, and its size in this call."""

    parameter: tree.Parameter
    value: Tensor
    node: tree.Value
    size: int


@dataclass
class Sizes:
    """The size variables of one call, each with its value and the axis that gave it."""

    variables: list[str]
    values: dict[str, int] = field(default_factory=dict)
    origins: dict[str, Axis] = field(default_factory=dict)


def clash(context: Context, call: Call, axis: Axis, first: Axis, value: Constant) -> None:
    """An axis has another size than the sizes found before say."""
    text = short(axis.node.span.text)
    context.report.error(
        "E420",
        f"`{text}` of `{call.name}` would be both {show(value)} and {axis.size} in this call",
        call.span,
        secondary=[
            Label(first.node.span, f"{short(first.node.span.text)} is {first.size}"),
            Label(axis.node.span, f"{text} is {axis.size}"),
        ],
        notes=trails(call, axis, first),
        help="axes of the same name have the same size"
        if isinstance(axis.node, tree.Path)
        else f"what flows in as `{axis.parameter.name.text}` must be {show(value)} along this axis",
    )


def trails(call: Call, axis: Axis, first: Axis) -> list[str]:
    """The way of the value that does not fit, and of the one it is held against."""
    if first.value is axis.value:
        return [shapes(axis.value.trail, call.name)]
    return [shapes(each.value.trail, "", f"shapes of `{each.parameter.name.text}`") for each in (first, axis)]


def unfit(context: Context, call: Call, parameter: tree.Parameter, value: Tensor, what: str, help: str) -> None:
    assert parameter.type is not None
    context.report.error(
        "E425",
        f"`{parameter.name.text}` of `{call.name}` is {short(parameter.type.span.text)}, and {what}",
        call.span,
        secondary=[Label(parameter.span)],
        notes=[shapes(value.trail, call.name)],
        help=help,
    )


def rank_help(given: int, wanted: int) -> str:
    if wanted == 1 and given > 1:
        return "`-> flatten` makes one axis of all"
    return "`-> reshape([...])` gives the same numbers other axes"


def unsolved(body: Context, call: Call, axis: Axis, sizes: Sizes) -> None:
    names = [name for name in names_in(axis.node) if name in sizes.variables and name not in sizes.values]
    body.report.error(
        "E427",
        f"`{names[0] if names else short(axis.node.span.text)}` cannot be worked out from `{short(axis.node.span.text)}`",
        axis.node.span,
        secondary=[Label(call.span, f"called here with {axis.value.type.dims}")],
        help="a size is found where it stands alone, or in a sum, product or quotient with known numbers",
    )


def no_size(body: Context, name: str, node: tree.Value) -> None:
    """`x: f32[h, w]`: only names with a capital are sizes."""
    body.bind(name, UNKNOWN, node.span)
    capital = name[:1].upper() + name[1:]
    body.report.error(
        "E427",
        f"`{name}` is not known, and not the name of a size",
        node.span,
        help=f"a size that the call binds begins with a capital letter: `{capital}`"
        if capital != name
        else "it is bound nowhere",
    )


def size_from_nowhere(body: Context, name: str, node: tree.Value) -> None:
    """A size in the type of a result that no input says."""
    body.bind(name, UNKNOWN, node.span)
    body.report.error(
        "E427",
        f"nothing says how large `{name}` is",
        node.span,
        help=f"it stands in no input's type: make it a parameter, `{name}: int`, or a `dim`, or write `_`",
    )


def written(type: TensorType) -> str:
    """`f32[28, 28]`, `index(10)`."""
    name = f"index({type.classes})" if type.dtype == "index" else type.dtype
    return f"{name}{type.dims}" if type.shape else name
