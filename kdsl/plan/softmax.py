"""Softmax and its logarithm, along the last axis or another one, and their gradients."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.lowering import Lowering


def lower_softmax(lowering: Lowering, node: Node) -> None:
    layout = lowering.layouts[node.name]
    x = lowering.read(node.inputs[0], layout)
    made = lowering.result(node)
    sides = {"x": x.name, "x_row": layout.step, "out": made.name, "out_row": layout.step}
    if node.attribute("axis") == -1:
        lowering.launch(node.op, node, (x,), made, rows=lowering.lines(layout), width=layout.width, **sides)
    else:
        logarithm = int(node.op == "log_softmax")
        lowering.launch(
            "softmax_along", node, (x,), made, rows=lowering.rows, **_axes(node), **sides, logarithm=logarithm
        )


def lower_softmax_gradient(lowering: Lowering, node: Node) -> None:
    layout = lowering.layouts[node.name]
    g, y = (lowering.read(name, layout) for name in node.inputs)
    made = lowering.result(node)
    sides = {"g": g.name, "g_row": layout.step, "y": y.name, "y_row": layout.step}
    sides |= {"out": made.name, "out_row": layout.step}
    if node.attribute("axis") == -1:
        lowering.launch(node.op, node, (g, y), made, rows=lowering.lines(layout), width=layout.width, **sides)
    else:
        along = int(node.op == "log_softmax_gradient")
        lowering.launch(
            "softmax_along_gradient", node, (g, y), made, rows=lowering.rows, **_axes(node), **sides, logarithm=along
        )


def _axes(node: Node) -> dict[str, object]:
    """The axis of a softmax among the three that it cuts a sample into."""
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    shape = node.type.shape
    place = len(shape) + axis
    outer = inner = 1
    for size in shape[:place]:
        outer *= size
    for size in shape[place + 1 :]:
        inner *= size
    return {"outer": outer, "count": shape[place], "inner": inner}
