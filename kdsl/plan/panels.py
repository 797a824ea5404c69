"""Matrices without rows in panels of 16 columns, as the register tile reads them: weights, and copies of what is computed."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.layout import PANEL, Layout, padded
from kdsl.plan.lowering import Lowering


def panels(lowering: Lowering, value: str) -> str:
    """Where [inputs, units] lies in panels of 16 columns."""
    node = lowering.graph[value]
    if value in lowering.turned:
        return transposed(lowering, node.inputs[0])
    if node.op == "weight":
        return lowering.outside.weight(value) if lowering.outside.in_panels(value) else lowering.outside.panels(value)
    return _copy(lowering, node, "panels_of_lines", transposed=False)


def transposed(lowering: Lowering, value: str) -> str:
    """Where its transpose [units, inputs] lies in panels."""
    node = lowering.graph[value]
    if value in lowering.turned:
        return panels(lowering, node.inputs[0])
    if node.op == "weight":
        return lowering.outside.transposed(value)
    return _copy(lowering, node, "transposed_of_lines", transposed=True)


def panel_step(lowering: Lowering, value: str, transposed: bool = False) -> int:
    """Numbers from 16 columns of `panels` or `transposed` to the next 16."""
    if value in lowering.turned:
        return panel_step(lowering, lowering.graph[value].inputs[0], not transposed)
    inputs, units = lowering.type(value).shape
    return PANEL * (padded(units) if transposed else inputs)


def _copy(lowering: Lowering, node: Node, kernel: str, transposed: bool) -> str:
    """A computed matrix in panels; copied where it is computed."""
    key = (node.name, transposed)
    if key not in lowering.panel_copies:
        inputs, units = node.type.shape
        columns, lines = (inputs, padded(units)) if transposed else (units, inputs)
        with lowering.at_home(node):
            x = lowering.read(node.name)
            name = lowering.names(f"{node.name}.{'transposed' if transposed else 'panels'}")
            made = lowering.new_buffer(name, Layout(lines * padded(columns) // PANEL, PANEL, packed=True), "fixed")
            sizes = {"inputs": inputs, "units": units, "first": 0, "lines": inputs}
            said = f"{node.name} {'transposed, ' if transposed else ''}in panels, for products"
            lowering.launch(kernel, node, (x,), made, **sizes, w=x.name, out=made.name, comment_=said)
        lowering.panel_copies[key] = made
    return lowering.panel_copies[key].name
