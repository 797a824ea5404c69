"""Matrix products, with whatever a graph has fused to them."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.layout import PANEL, last_axis, padded
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.panels import panel_step, panels, transposed
from kdsl.plan.places import Number, Place


def lower_contraction(lowering: Lowering, node: Node) -> None:
    """One tile pass for the product and what its epilogue can do; a map in place for the rest."""
    product, *rest = node.body or (node,)
    x = lowering.read(product.inputs[0])
    path = product.inputs[1]
    inputs, units = lowering.graph[product.inputs[1]].type.shape
    forward = product.op == "matmul"
    made = lowering.result(node, last_axis(node.type))
    value, bias, floor, gate, factor = product.name, "ZEROS", "LOWEST", None, 1.0
    reads = [x]
    if rest and rest[0].op == "add_bias" and rest[0].inputs[0] == value:
        vector = lowering.read(rest[0].inputs[1])
        bias, value = vector.name, rest.pop(0).name
        reads.append(vector)
    if rest and rest[0].op == "relu":
        floor, value = "0.0", rest.pop(0).name
    while rest:
        following = rest[0]
        others = [name for name in following.inputs if name != value]
        literal = _literal(lowering.places[others[0]]) if len(others) == 1 else None
        if following.op == "multiply" and literal is not None:
            factor *= literal
        elif following.op == "relu_gradient" and following.inputs[0] == value and gate is None:
            gate = lowering.read(following.inputs[1])
        else:
            break
        value = rest.pop(0).name
    lowering.launch(
        "dense",
        node,
        (*reads, *((gate,) if gate else ())),
        made,
        rows=lowering.lines(made.layout),
        inputs=inputs if forward else units,
        units=padded(units) if forward else padded(inputs),
        x=x.name,
        x_row=x.layout.step,
        w=panels(lowering, path) if forward else transposed(lowering, path),
        w_panel=panel_step(lowering, path, transposed=not forward),
        bias=bias,
        out=made.name,
        out_row=made.layout.step,
        floor=floor,
        gate=gate.name if gate else "ONES",
        gate_row=gate.layout.step if gate else 0,
        scale=repr(factor),
    )
    if rest:
        outside = [name for name in outside_values(tuple(rest)) if name != value]
        operands = [(name, lowering.operand(name, made.layout, node)) for name in outside]
        lowering.map(tuple(rest), operands, node, made, own=value)


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


def _literal(place: Place) -> float | None:
    return place.literal if isinstance(place, Number) else None
