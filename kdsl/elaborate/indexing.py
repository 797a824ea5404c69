"""Parts of a tensor: `x[-1]`, `x[0:4]`, `x[:, 0:8:2]`. The first item is for the first axis after the batch."""

from __future__ import annotations

from typing import Union

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import kind_of
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import UNKNOWN, Link, Meaning, Tensor, Unknown
from kdsl.elaborate.sizes import whole
from kdsl.elaborate.tensors import growing, refused_operator
from kdsl.elaborate.trail import shapes
from kdsl.elaborate.words import counted, short
from kdsl.ops.registry import Refused
from kdsl.syntax import tree

Item = Union[int, slice]


def part(context: Context, node: tree.Index, tensor: Tensor) -> Meaning:
    """What `x[...]` picks out: a number drops its axis, a slice keeps it."""
    from kdsl.ops import indexing

    work = growing(context, node.span)
    if work is None or not axes_fit(context, node, tensor):
        return UNKNOWN
    found: list[Item] = []
    for axis, written in enumerate(node.items):
        size = tensor.type.shape[axis]
        item = (
            piece(context, node, tensor, axis, written)
            if isinstance(written, tree.Slice)
            else position(context, node, tensor, axis, written)
        )
        if item is None:
            return UNKNOWN
        found.append(item if isinstance(item, slice) else item % size)
    try:
        with work.build.at(node.span, layer=context.place.path):
            value = indexing.index(work.build, tensor.value, tuple(found))
    except Refused as refused:
        refused_operator(context, node.span, refused, (tensor, node.value))
        return UNKNOWN
    type = work.build.type_of(value)
    label = short(node.span.source.text[node.value.span.stop : node.span.stop].lstrip(), 16)
    return Tensor(value, type, Link(label, type, node.span, "[ ]", before=tensor.trail), tensor.target)


def axes_fit(context: Context, node: tree.Index, tensor: Tensor) -> bool:
    """Whether there is an axis for every item."""
    rank = tensor.type.rank
    if len(node.items) <= rank:
        return True
    text = short(node.value.span.text)
    has = f"`{text}` is a single number" if rank == 0 else f"`{text}` has {'1 axis' if rank == 1 else f'{rank} axes'}"
    context.report.error(
        "E414",
        f"{has}, and {counted(len(node.items), 'item')} stand{'s' * (len(node.items) == 1)} in `[ ]`",
        node.span,
        notes=way_of(tensor),
        help="the batch axis is never written: the first item is for the first axis after it",
    )
    return False


def position(context: Context, node: tree.Index, tensor: Tensor, axis: int, written: tree.Value) -> int | None:
    """One place of an axis, negative from its end."""
    number = number_of(context, node, written)
    size = tensor.type.shape[axis]
    if number is None or -size <= number < size:
        return number
    context.report.error(
        "E414",
        f"{axis_named(axis, tensor)} has {size} places, from 0 to {size - 1}, and none is called {number}",
        written.span,
        secondary=came_from(tensor),
        notes=way_of(tensor),
        help=f"the last one is -1 or {size - 1}",
    )
    return None


def piece(context: Context, node: tree.Index, tensor: Tensor, axis: int, written: tree.Slice) -> slice | None:
    """`start:stop:step`; what lies outside of the axis, or is empty, is refused."""
    ends: list[int | None] = []
    for each in (written.start, written.stop, written.step):
        number = None if each is None else number_of(context, node, each)
        if each is not None and number is None:
            return None
        ends.append(number)
    start, stop, step = ends
    size = tensor.type.shape[axis]
    if step is not None and step < 1:
        assert written.step is not None
        help = f"`flip(x, axis = {axis})` turns an axis around" if step < 0 else ""
        context.report.error("E414", f"a step is at least 1, not {step}", written.step.span, help=help)
        return None
    for number, each in ((start, written.start), (stop, written.stop)):
        if number is not None and each is not None and not -size <= number <= size:
            context.report.error(
                "E414",
                f"{axis_named(axis, tensor)} has {size} places, and {number} lies outside of it",
                each.span,
                secondary=came_from(tensor),
                notes=way_of(tensor),
            )
            return None
    first, last, _ = slice(start, stop, step).indices(size)
    if first < last:
        return slice(first, last, step or 1)
    context.report.error(
        "E414",
        f"`{short(written.span.text)}` is empty: it starts at {first} and stops before {last}",
        written.span,
        help="the end is not part of it: `0:4` is 0, 1, 2, 3",
    )
    return None


def number_of(context: Context, node: tree.Index, written: tree.Value) -> int | None:
    """A whole number known when compiled; a tensor is answered with `gather`."""
    found = evaluate.evaluate(context, written)
    if isinstance(found, Tensor):
        source, picked = short(node.value.span.text), short(written.span.text)
        context.report.error(
            "E313",
            f"a place in `[ ]` must be known when the model is compiled, and `{picked}` is computed from data",
            written.span,
            help=f"to pick by numbers that are data, use `gather({source}, {picked}, axis = 0)`",
        )
        return None
    if isinstance(found, Unknown):
        return None
    if isinstance(found, tuple):
        context.report.error("E414", f"a place in `[ ]` is one whole number, not {kind_of(found)}", written.span)
        return None
    return whole(context, found, written, "`[ ]`")


def way_of(tensor: Tensor) -> list[str]:
    """The shape trail, where it has more than its beginning."""
    return [] if tensor.trail.before is None else [shapes(tensor.trail)]


def axis_named(axis: int, tensor: Tensor) -> str:
    return "the axis" if tensor.type.rank == 1 else f"axis {axis}"


def came_from(tensor: Tensor) -> list[Label]:
    """Where an input says its size."""
    sized = tensor.trail.sized
    return [Label(sized, tensor.type.dims)] if sized is not None and tensor.trail.layer == "" else []
