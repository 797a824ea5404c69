"""Numbers chosen by indices: rows of a table, the sum back into it, and one-hot vectors."""

from __future__ import annotations

from math import prod

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.plan.layout import Layout, flat, last_axis
from kdsl.plan.loops import Access, Axis, Nest, Read
from kdsl.plan.lowering import Lowering
from kdsl.plan.places import View
from kdsl.plan.sweeps import Operands, own_lines, rows_axis, sweep


def _axis(node: Node, rank: int) -> int:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    return axis % rank


def _indices(lowering: Lowering, value: str) -> View:
    """Whole numbers are data or what an op such as `argmax` leaves in memory: constants are floats."""
    view = lowering.view(value)
    assert view.buffer is not None, f"{value} is no value in memory"
    return view


def lower_gather(lowering: Lowering, node: Node) -> None:
    """The axis of the first operand is replaced by the axes of the indices."""
    x, indices = lowering.view(node.inputs[0]), _indices(lowering, node.inputs[1])
    axis = _axis(node, len(x.shape))
    out = lowering.result(node, own_lines(lowering, node))
    inside = (0,) * len(indices.shape)
    operands = Operands()
    access = operands.access(x, (*x.strides[:axis], *inside, *x.strides[axis + 1 :]))
    before, after = (0,) * axis, (0,) * (len(x.shape) - axis - 1)
    index = operands.access(indices, (*before, *indices.strides, *after))
    operands.reads.append(Read(node.inputs[0], access, index, x.shape[axis], x.strides[axis]))
    target = Access(out.name, (out.layout.row, *lowering.view_of(out, node.type).strides))
    sweep(lowering, node, "gather", Nest((rows_axis(lowering), *map(Axis, node.type.shape)), (), target), operands, out)


def lower_one_hot(lowering: Lowering, node: Node) -> None:
    """1 where the place along the last axis is the index."""
    indices = _indices(lowering, node.inputs[0])
    out = lowering.result(node, own_lines(lowering, node))
    operands = Operands()
    operands.add(
        node.inputs[0],
        View(indices.at, indices.row, indices.shape, indices.strides, indices.buffer),
        (*indices.strides, 0),
    )
    operands.reads.append(Read("place", None))
    same = Node("same", "equal", (node.inputs[0], "place"), (), TensorType("bool"), node.origin)
    target = Access(out.name, (out.layout.row, *lowering.view_of(out, node.type).strides))
    nest = Nest((rows_axis(lowering), *map(Axis, node.type.shape)), (), target, (same,))
    sweep(lowering, node, "one_hot", nest, operands, out)


def lower_gather_gradient(lowering: Lowering, node: Node) -> None:
    """Adds each of the upstream numbers to the place it was read from, in the order of the rows."""
    upstream, indices = (lowering.type(name) for name in node.inputs)
    axis = _axis(node, node.type.rank)
    before, after = node.type.shape[:axis], node.type.shape[axis + 1 :]
    lines = len(after) == 1 and len(before) <= 1
    g = lowering.read(node.inputs[0], last_axis(upstream) if lines else flat(upstream))
    index = lowering.read(node.inputs[1], Layout(1, indices.size))
    out = lowering.result(node, last_axis(node.type) if lines else flat(node.type))
    rows = lowering.rows if node.type.batched else "1"
    lowering.launch("clear", node, (), out, rows=rows, size=out.layout.row, out=out.name)
    inside = prod(after)
    g_step, out_step = (g.layout.step, out.layout.step) if lines else (inside, inside)
    lowering.launch(
        "scatter_add",
        node,
        (g, index, out),
        out,
        rows=lowering.rows,
        outer=prod(before),
        positions=indices.size,
        width=inside,
        g=g.name,
        g_row=g.layout.row if upstream.batched else 0,
        g_outer=g_step * indices.size,
        g_step=g_step,
        index=index.name,
        index_row=index.layout.row if indices.batched else 0,
        out=out.name,
        out_row=out.layout.row if node.type.batched else 0,
        out_outer=out_step * node.type.shape[axis],
        out_step=out_step,
        limit=node.type.shape[axis],
    )
