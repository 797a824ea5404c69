"""Ops that move numbers: broadcast, transpose, slice, pad, concat; and what fills a value with numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.graph.graph import Node
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, padded
from kdsl.plan.loops import Access, Axis, Nest, Read
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.places import View
from kdsl.plan.sweeps import Operands, broadcast_strides, copy, elements_of, own_lines, rows_axis, sweep


def lower_elementwise(lowering: Lowering, node: Node) -> None:
    """An elementwise op, or a fused chain of them, with any broadcasting."""
    body, shape = node.body or (node,), node.type.shape
    out = lowering.result(node, own_lines(lowering, node))
    operands = Operands()
    for value in outside_values(body):
        view = lowering.view(value)
        operands.add(value, view, broadcast_strides(view, shape))
    nest = Nest(
        (rows_axis(lowering), *map(Axis, shape)),
        (),
        _whole(lowering, out, node),
        body,
        elements=elements_of(node.type, body),
    )
    ops = list(dict.fromkeys(part.op for part in body))
    sweep(lowering, node, "_".join(["broadcast", *ops][:5]), nest, operands, out)


def lower_random(lowering: Lowering, node: Node) -> None:
    """Random numbers for each element: the operand only says how many rows there are."""
    out = lowering.result(node, own_lines(lowering, node))
    axes = (rows_axis(lowering), *map(Axis, node.type.shape))
    nest = Nest(axes, (), _whole(lowering, out, node), (node,), elements=elements_of(node.type, (node,)))
    sweep(lowering, node, node.op, nest, Operands(), out)


def lower_full(lowering: Lowering, node: Node) -> None:
    out = lowering.result(node, own_lines(lowering, node))
    nest = Nest((rows_axis(lowering), *map(Axis, node.type.shape)), (), _whole(lowering, out, node))
    sweep(lowering, node, "fill", nest, Operands(numbers=[("", repr(node.attribute("value")))]), out)


def _whole(lowering: Lowering, out: Buffer, node: Node) -> Access:
    return Access(out.name, (out.layout.row, *lowering.view_of(out, node.type).strides))


def lower_broadcast(lowering: Lowering, node: Node) -> None:
    view = lowering.view(node.inputs[0])
    _copy(lowering, node, view, broadcast_strides(view, node.type.shape))


def lower_transpose(lowering: Lowering, node: Node) -> None:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    view = lowering.view(node.inputs[0])
    _copy(lowering, node, view, [view.strides[axis] for axis in axes if isinstance(axis, int)])


def lower_slice(lowering: Lowering, node: Node) -> None:
    view = lowering.view(node.inputs[0])
    starts, steps = _ints(node, "starts"), _ints(node, "steps")
    at = sum(start * stride for start, stride in zip(starts, view.strides, strict=True))
    _copy(lowering, node, view, [step * stride for step, stride in zip(steps, view.strides, strict=True)], at)


def lower_reverse(lowering: Lowering, node: Node) -> None:
    view, axes = lowering.view(node.inputs[0]), _ints(node, "axes")
    at = sum((view.shape[axis] - 1) * view.strides[axis] for axis in axes)
    _copy(lowering, node, view, [-s if axis in axes else s for axis, s in enumerate(view.strides)], at)


def _copy(lowering: Lowering, node: Node, view: View, strides: Sequence[int], at: int = 0) -> None:
    """The whole result from one operand, read from `at` behind its first number on."""
    out = lowering.result(node, own_lines(lowering, node))
    operands = Operands()
    if view.number is not None:
        operands.add(node.inputs[0], view, strides)
    else:
        operands.reads.append(Read(node.inputs[0], operands.access(view, strides, at)))
    axes = (rows_axis(lowering), *map(Axis, node.type.shape))
    copy(lowering, node, Nest(axes, (), _whole(lowering, out, node)), operands, out)


def lower_unslice(lowering: Lowering, node: Node) -> None:
    """Zeros, and the operand's numbers at the places that a slice read."""
    if not node.type.shape:
        _copy(lowering, node, lowering.view(node.inputs[0]), ())
        return
    out = lowering.result(node, own_lines(lowering, node))
    _fill(lowering, node, out, 0.0)
    _into(lowering, node, node.inputs[0], out, _ints(node, "starts"), _ints(node, "steps"))


def lower_pad(lowering: Lowering, node: Node) -> None:
    if not node.type.shape:
        _copy(lowering, node, lowering.view(node.inputs[0]), ())
        return
    out = lowering.result(node, own_lines(lowering, node))
    value = node.attribute("value")
    assert isinstance(value, (int, float))
    _fill(lowering, node, out, float(value))
    before = _ints(node, "before")
    _into(lowering, node, node.inputs[0], out, before, (1,) * len(before))


def lower_concat(lowering: Lowering, node: Node) -> None:
    """The operands one after the other; the last one of a line also writes the zeros behind it."""
    axis, rank = node.attribute("axis"), node.type.rank
    assert isinstance(axis, int)
    axis %= rank
    out = lowering.result(node, own_lines(lowering, node))
    begin = 0
    for value in node.inputs:
        size = lowering.type(value).shape[axis]
        starts = [begin if n == axis else 0 for n in range(rank)]
        begin += size
        ends = axis != rank - 1 or begin == node.type.shape[axis]
        _into(lowering, node, value, out, starts, (1,) * rank, to_the_end=ends)


def _fill(lowering: Lowering, node: Node, out: Buffer, value: float) -> None:
    axes = (rows_axis(lowering), *map(Axis, node.type.shape))
    operands = Operands(numbers=[("", repr(value))])
    sweep(lowering, node, "fill", Nest(axes, (), _whole(lowering, out, node)), operands, out)


def _into(
    lowering: Lowering,
    node: Node,
    value: str,
    out: Buffer,
    starts: Sequence[int],
    steps: Sequence[int],
    to_the_end: bool = False,
) -> None:
    """An operand's numbers into a part of the result. `to_the_end`: they end where the result's lines end."""
    view, target = lowering.view(value), lowering.view_of(out, node.type)
    at = sum(start * stride for start, stride in zip(starts, target.strides, strict=True))
    strides = [step * stride for step, stride in zip(steps, target.strides, strict=True)]
    operands = Operands()
    operands.add(value, view, view.strides)
    axes = (rows_axis(lowering), *map(Axis, view.shape))
    end = starts[-1] + view.shape[-1]
    tail: int | None = padded(end) - end if to_the_end else 0
    if starts[-1] % PANEL == 0 and steps[-1] == 1 and (to_the_end or end % PANEL == 0):
        tail = None  # whole panels
    name = f"{out.name} + {at}" if at else out.name
    nest = Nest(axes, (), Access(name, (out.layout.row, *strides)), tail=tail)
    copy(lowering, node, nest, operands, out)


def _ints(node: Node, name: str) -> tuple[int, ...]:
    given = node.attribute(name)
    assert isinstance(given, tuple)
    return tuple(number for number in given if isinstance(number, int))
