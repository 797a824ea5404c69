"""Reductions over axes, and over the batch, as loop nests: of a value, or of what elementwise ops make of several."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.plan.launch import Buffer
from kdsl.plan.loops import Access, Axis, Nest, Reduction
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.sweeps import Operands, broadcast_strides, elements_of, own_lines, rows_axis, sweep

KINDS: dict[str, Reduction] = {
    "reduce_sum": "sum",
    "reduce_mean": "mean",
    "reduce_max": "max",
    "reduce_min": "min",
    "argmax": "argmax",
    "argmin": "argmin",
}


def lower_reduction(lowering: Lowering, node: Node) -> None:
    """Over some axes; those that stay have size 1 in the result if the op keeps them."""
    last, type = (node.body or (node,))[-1], _operand_type(lowering, node)
    if last.op == "sum_to":
        lower_sum_to(lowering, node)
        return
    if last.op in ("argmax", "argmin"):
        axis, keep = last.attribute("axis"), False
        assert isinstance(axis, int)
        over = {axis % type.rank}
    else:
        axes, keep = last.attribute("axes"), bool(last.attribute("keep"))
        assert isinstance(axes, tuple)
        over = {axis for axis in axes if isinstance(axis, int)}
    out = lowering.result(node, own_lines(lowering, node))
    kept = iter(lowering.view_of(out, node.type).strides)
    strides = []
    for axis in range(type.rank):
        stays = axis not in over
        stride = next(kept) if stays or keep else 0
        strides.append(stride if stays else 0)
    _reduce(lowering, node, KINDS[last.op], over, strides, out)


def lower_sum_to(lowering: Lowering, node: Node) -> None:
    """Undoes a broadcast: over the axes that the result lacks or has as 1, and over the batch if it has no rows."""
    type, shape = _operand_type(lowering, node), node.type.shape
    missing = type.rank - len(shape)
    over = {a for a, size in enumerate(type.shape) if a < missing or (shape[a - missing] == 1 and size > 1)}
    out = lowering.result(node, own_lines(lowering, node))
    target = lowering.view_of(out, node.type)
    strides = [0] * missing + [0 if a + missing in over else s for a, s in enumerate(target.strides)]
    _reduce(lowering, node, "sum", over, strides, out)


def _operand_type(lowering: Lowering, node: Node) -> TensorType:
    """The type of what is reduced: a value, or what the body of a fused node computes."""
    return node.body[-2].type if node.body else lowering.type(node.inputs[0])


def _reduce(
    lowering: Lowering, node: Node, kind: Reduction, over: set[int], strides: Sequence[int], out: Buffer
) -> None:
    """`over` are axes of the operand, `strides` the result's distances along each of them."""
    type, body = _operand_type(lowering, node), node.body[:-1]
    rows = type.batched and not node.type.batched
    operands = Operands()
    for value in outside_values(body) if body else node.inputs:
        view = lowering.view(value)
        operands.add(value, view, broadcast_strides(view, type.shape))
    axes = [rows_axis(lowering, rows), *(Axis(size, axis in over) for axis, size in enumerate(type.shape))]
    place = Access(out.name, (0 if rows else out.layout.row, *strides))
    name = "_".join([f"{kind}_of", *dict.fromkeys(part.op for part in body)][:5])
    nest = Nest(tuple(axes), (), place, body, reduction=kind, elements=elements_of(type, body))
    sweep(lowering, node, name, nest, operands, out)
