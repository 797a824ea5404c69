"""Matrix products, with whatever a graph has fused to them."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.epilogues import epilogue, finish_in_place
from kdsl.plan.layout import PANEL, last_axis, padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.panels import panel_step, panels, transposed


def lower_contraction(lowering: Lowering, node: Node) -> None:
    """One tile pass for the product and what its epilogue can do; a map in place for the rest."""
    product, *rest = node.body or (node,)
    x = lowering.read(product.inputs[0])
    path = product.inputs[1]
    inputs, units = lowering.graph[product.inputs[1]].type.shape
    forward = product.op == "matmul"
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    lowering.launch(
        "dense",
        node,
        (x, *end.reads),
        made,
        rows=lowering.lines(made.layout),
        inputs=inputs if forward else units,
        units=padded(units) if forward else padded(inputs),
        x=x.name,
        x_row=x.layout.step,
        w=panels(lowering, path) if forward else transposed(lowering, path),
        w_panel=panel_step(lowering, path, transposed=not forward),
        bias=end.bias,
        out=made.name,
        out_row=made.layout.step,
        floor=end.floor,
        gate=end.gate.name if end.gate else "ONES",
        gate_row=end.gate.layout.step if end.gate else 0,
        scale=repr(end.factor),
    )
    finish_in_place(lowering, node, end, made)


def lower_kernel_gradient(lowering: Lowering, node: Node) -> None:
    """transpose(x) @ g over all lines of the rows at hand, in lines."""
    x, g = (lowering.read(name) for name in node.inputs)
    made = lowering.result(node)
    lowering.launch(
        "weight_gradient",
        node,
        (x, g),
        made,
        rows=lowering.lines(x.layout),
        inputs=x.layout.width,
        units=padded(g.layout.width),
        x=x.name,
        x_row=x.layout.step,
        g=g.name,
        g_row=g.layout.step,
        out=made.name,
        out_row=made.layout.step,
        out_panel=PANEL,
    )


def lower_bias_gradient(lowering: Lowering, node: Node) -> None:
    """The sum of g over all lines of the rows at hand."""
    g = lowering.read(node.inputs[0])
    made = lowering.result(node)
    columns, lines = padded(g.layout.width), lowering.lines(g.layout)
    lowering.launch(
        "column_sums", node, (g,), made, rows=lines, columns=columns, g=g.name, g_row=g.layout.step, out=made.name
    )
