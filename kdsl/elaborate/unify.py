"""The sizes of a call: what flows into a block, held against the types of its inputs.

Every axis of an input's type is an equation. A name of its own, `H`, takes the size that flows in; where all names of an
axis are known it is checked; where one is not, as in `2 * H`, it is solved for. Defaults of parameters may use the sizes,
and axes may use the parameters, so both are worked through until nothing new comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kdsl.elaborate import evaluate, signatures
from kdsl.elaborate.callee import Call, is_constant
from kdsl.elaborate.constants import is_number, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.dims import names_in
from kdsl.elaborate.misfits import Axis, Sizes, clash, no_size, rank_help, unfit, unsolved, written
from kdsl.elaborate.scope import UNKNOWN, Named, Tensor
from kdsl.elaborate.types import TENSORS, unknown_type
from kdsl.elaborate.words import short
from kdsl.ops.cast import as_float
from kdsl.syntax import tree


def bind_sizes(
    context: Context,
    body: Context,
    call: Call,
    inputs: Sequence[tuple[tree.Parameter, Tensor]],
    defaults: Sequence[tree.Parameter],
) -> dict[str, int] | None:
    """Binds the size variables and the defaults in the body's scope -> the sizes; None where something does not fit.

    `context` is the caller's, where that is reported.
    """
    sizes = Sizes(variables(body, call))
    for name in sizes.variables:
        body.bind(name, UNKNOWN, call.definition.item.name.span)
    axes: list[Axis] = []
    for parameter, value in inputs:
        found = axes_of(context, body, call, parameter, value)
        if found is None:
            return None
        axes += found
    axes.sort(key=lambda axis: not isinstance(axis.node, tree.Path))
    waiting = list(defaults)
    while True:
        before = len(axes) + len(waiting)
        still: list[Axis] = []
        for axis in axes:
            settled = settle(context, body, call, axis, sizes, waiting)
            if settled is False:
                return None
            if settled is None:
                still.append(axis)
        axes = still
        waiting = [each for each in waiting if not default(body, each, sizes, waiting)]
        if len(axes) + len(waiting) == before:
            break
    if axes:
        unsolved(body, call, axes[0], sizes)
        return None
    for parameter in waiting:
        default(body, parameter, None, ())
    return sizes.values


def variables(body: Context, call: Call) -> list[str]:
    """The size variables of a block: names in the types of its inputs that stand for nothing else."""
    item = call.definition.item
    own = {parameter.name.text for parameter in item.parameters}
    found: dict[str, None] = {}
    for parameter in item.parameters:
        if parameter.type is None or is_constant(parameter):
            continue
        for node in (*(parameter.type.shape or ()), *([parameter.type.argument] if parameter.type.argument else [])):
            for name in names_in(node):
                bound = call.definition.home.scope.find(name)
                if name[:1].isupper() and name not in own and (bound is None or isinstance(bound.meaning, Named)):
                    found[name] = None
    return list(found)


# -- axes --------------------------------------------------------------------------------------------


def axes_of(context: Context, body: Context, call: Call, parameter: tree.Parameter, value: Tensor) -> list[Axis] | None:
    """The axes of one input; a value of another kind or of other rank is reported."""
    wanted = parameter.type
    if wanted is None:  # of a fn: anything may flow in
        return []
    dtype = wanted.name.text
    if dtype not in TENSORS:
        unknown_type(body, wanted)
        return None
    given = value.type
    shape = wanted.shape or ()
    if TENSORS[dtype] != given.dtype and not (dtype == "f32" and given.dtype != "index"):
        help = "`-> embed(16)` turns classes into numbers" if given.dtype == "index" else ""
        unfit(context, call, parameter, value, f"what flows in is {written(given)}", help)
        return None
    if len(shape) != given.rank:
        what = f"{written(given)} has {given.rank} {'axis' if given.rank == 1 else 'axes'}, not {len(shape)}"
        unfit(context, call, parameter, value, what, rank_help(given.rank, len(shape)))
        return None
    axes = [
        Axis(parameter, value, node, size) for node, size in zip(shape, given.shape, strict=True) if not is_open(node)
    ]
    if wanted.argument is not None and given.classes is not None:
        axes.append(Axis(parameter, value, wanted.argument, given.classes))
    return axes


def is_open(node: tree.Value) -> bool:
    """`_`: any size."""
    return isinstance(node, tree.Path) and node.text == "_"


def check_input(body: Context, wanted: tree.TypeRef) -> None:
    """The type of an input that nothing flows into: its names."""
    if wanted.name.text not in TENSORS:
        unknown_type(body, wanted)
    for node in (*(wanted.shape or ()), *([wanted.argument] if wanted.argument is not None else [])):
        stray = next((name for name in names_in(node) if body.scope.find(name) is None), None)
        if stray is not None and not is_open(node):
            no_size(body, stray, node)


def settle(
    context: Context, body: Context, call: Call, axis: Axis, sizes: Sizes, waiting: Sequence[tree.Parameter]
) -> bool | None:
    """True: the axis fits. False: it does not, or nothing can be known of it. None: not yet."""
    names = list(names_in(axis.node))
    if any(parameter.name.text in names for parameter in waiting):
        return None
    unknown = [name for name in names if name in sizes.variables and name not in sizes.values]
    if len(unknown) > 1:
        return None
    if not unknown:
        return holds(context, body, call, axis, sizes)
    solution = solve(body, axis.node, Fraction(axis.size), unknown[0])
    if solution is None:
        return None
    name = unknown[0]
    if solution.denominator != 1 or solution < 1:
        shown = f"{solution.numerator} / {solution.denominator}" if solution.denominator != 1 else str(solution)
        text = short(axis.node.span.text)
        unfit(
            context, call, axis.parameter, axis.value, f"`{text}` cannot be {axis.size}: `{name}` would be {shown}", ""
        )
        return False
    sizes.values[name], sizes.origins[name] = int(solution), axis
    body.bind(name, solution, axis.node.span)
    return True


def holds(context: Context, body: Context, call: Call, axis: Axis, sizes: Sizes) -> bool:
    """Whether an axis whose names are all known has its size."""
    stray = next((name for name in names_in(axis.node) if body.scope.find(name) is None), None)
    if stray is not None:
        no_size(body, stray, axis.node)
        return False
    value = evaluate.constant(body.only_constants("a size"), axis.node, "a size")
    if value is None:
        return False
    if value == axis.size and not isinstance(value, bool):
        return True
    used = [name for name in names_in(axis.node) if name in sizes.values]
    if not used or not is_number(value):
        text = short(axis.node.span.text)
        fixed = "" if isinstance(axis.node, tree.Number) else f": `{text}` is {show(value)}"
        what = f"what flows in is {written(axis.value.type)}{fixed}"
        unfit(context, call, axis.parameter, axis.value, what, "")
        return False
    clash(context, call, axis, sizes.origins[used[0]], value)
    return False


def solve(body: Context, node: tree.Value, size: Fraction, name: str) -> Fraction | None:
    """The value of `name` for which the expression has this size; None where that is beyond sums and products."""
    while True:
        if isinstance(node, tree.Parens):
            node = node.value
            continue
        if isinstance(node, tree.Unary) and node.operator == "-":
            node, size = node.value, -size
            continue
        if isinstance(node, tree.Path):
            return size
        if not isinstance(node, tree.Binary) or node.operator not in "+-*/":
            return None
        on_left = name in names_in(node.left)
        other = evaluate.constant(body.only_constants("a size"), node.right if on_left else node.left, "a size")
        if not isinstance(other, Fraction):
            return None
        if node.operator == "+":
            size -= other
        elif node.operator == "-":
            size = size + other if on_left else other - size
        elif node.operator == "*":
            if other == 0:
                return None
            size /= other
        elif not on_left and size == 0:
            return None
        else:
            size = size * other if on_left else other / size
        node = node.left if on_left else node.right


# -- defaults ----------------------------------------------------------------------------------------


def default(body: Context, parameter: tree.Parameter, sizes: Sizes | None, waiting: Sequence[tree.Parameter]) -> bool:
    """Binds a parameter to its default, once all that it uses is known; `sizes` None: now or never."""
    assert parameter.default is not None
    if sizes is not None:
        names = set(names_in(parameter.default))
        if names & {each.name.text for each in waiting if each is not parameter}:
            return False
        if any(name in sizes.variables and name not in sizes.values for name in names):
            return False
    body.bind(parameter.name.text, signatures.argument_value(body, parameter, parameter.default), parameter.span)
    return True


# -- what flows in -----------------------------------------------------------------------------------


def flowing(body: Context, parameter: tree.Parameter, value: Tensor) -> Tensor:
    """The value as the body sees it: numbers of other kinds become f32 where that is what the type says."""
    wanted = parameter.type.name.text if parameter.type is not None else value.type.dtype
    if wanted != "f32" or value.type.dtype == "f32" or body.work is None:
        return value
    with body.work.build.at(parameter.span, layer=body.place.root):
        cast = as_float(body.work.build, value.value)
    return Tensor(cast, value.type.as_float(), value.trail, value.target)
