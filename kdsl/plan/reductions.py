"""Reductions over axes, and over the batch, as loop nests."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.loops import Access, Axis, Nest, Reduction
from kdsl.plan.lowering import Lowering
from kdsl.plan.sweeps import Operands, own_lines, rows_axis, sweep

KINDS: dict[str, Reduction] = {
    "reduce_sum": "sum",
    "reduce_mean": "mean",
    "reduce_max": "max",
    "reduce_min": "min",
    "argmax": "argmax",
    "argmin": "argmin",
}


def lower_reduction(lowering: Lowering, node: Node) -> None:
    rank = lowering.type(node.inputs[0]).rank
    if node.op in ("argmax", "argmin"):
        axis, keep = node.attribute("axis"), False
        assert isinstance(axis, int)
        over = {axis % rank}
    else:
        axes, keep = node.attribute("axes"), bool(node.attribute("keep"))
        assert isinstance(axes, tuple)
        over = {axis for axis in axes if isinstance(axis, int)}
    reduce(lowering, node, KINDS[node.op], over, keep)


def reduce(lowering: Lowering, node: Node, kind: Reduction, over: set[int], keep: bool, rows: bool = False) -> None:
    """`over` are axes of the operand; those that stay have size 1 in the result if `keep`. `rows`: over the batch too."""
    view = lowering.view(node.inputs[0])
    out = lowering.result(node, own_lines(lowering, node))
    target = lowering.view_of(out, node.type)
    kept = iter(target.strides)
    strides = []
    for axis in range(len(view.shape)):
        stays = axis not in over
        stride = next(kept) if stays or keep else 0
        strides.append(stride if stays else 0)
    axes = [rows_axis(lowering, rows), *(Axis(size, axis in over) for axis, size in enumerate(view.shape))]
    operands = Operands()
    operands.add(node.inputs[0], view, view.strides)
    nest = Nest(tuple(axes), (), Access(out.name, (0 if rows else out.layout.row, *strides)), reduction=kind)
    sweep(lowering, node, f"{kind}_of", nest, operands, out)


def lower_sum_to(lowering: Lowering, node: Node) -> None:
    """Undoes a broadcast: over the axes that the result lacks or has as 1, and over the batch if it has no rows."""
    type, shape = lowering.type(node.inputs[0]), node.type.shape
    missing = type.rank - len(shape)
    over = {a for a, size in enumerate(type.shape) if a < missing or (shape[a - missing] == 1 and size > 1)}
    view = lowering.view(node.inputs[0])
    out = lowering.result(node, own_lines(lowering, node))
    target = lowering.view_of(out, node.type)
    strides = [0] * missing + [0 if a + missing in over else s for a, s in enumerate(target.strides)]
    rows = type.batched and not node.type.batched
    axes = [rows_axis(lowering, rows), *(Axis(size, axis in over) for axis, size in enumerate(view.shape))]
    operands = Operands()
    operands.add(node.inputs[0], view, view.strides)
    nest = Nest(tuple(axes), (), Access(out.name, (0 if rows else out.layout.row, *strides)), reduction="sum")
    sweep(lowering, node, "sum_of", nest, operands, out)
