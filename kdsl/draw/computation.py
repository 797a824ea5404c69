"""The computation view: the ops of a training step before they are fused, forward in one column, backward in the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kdsl.draw.fold import stacked
from kdsl.draw.kinds import op_kind
from kdsl.draw.scene import Card, Edge, Form, Frame, Kind, Part, Scene
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Graph, Node
from kdsl.graph.printer import origin_text
from kdsl.passes.pipeline import optimise, slice_graph

LAST = "dead_code"  # the last pass before fusion


def computation(program: ModelProgram, without: Collection[str] = ()) -> Scene:
    """Without a train block: what `predict` computes."""
    kind = "predict" if program.training is None else "train"
    graph = optimise(slice_graph(program.graph, kind), without, until=LAST, kind=kind)  # type: ignore[arg-type]
    forward = _ancestors(graph, (value for value in graph.results if value not in {v for _, v in graph.gradients}))
    shown = [node for node in graph if node.op not in ("weight", "constant")]
    first = tuple(_card(node, graph) for node in shown if node.name in forward)
    second = tuple(_card(node, graph) for node in shown if node.name not in forward)
    cards = {card.id for card in (*first, *second)}
    edges = []
    for node in shown:
        for name in dict.fromkeys(node.inputs):
            if name in cards:
                style = "gradient" if name not in forward else "data" if node.name in forward else "kept"
                edges.append(Edge(name, name, node.name, str(graph[name].type), style))  # type: ignore[arg-type]
    first += tuple(Card(f"output:{name}", (Part(name, "output"),), "pill") for name, _ in graph.outputs)
    edges += [Edge(value, value, f"output:{name}", str(graph[value].type)) for name, value in graph.outputs]
    columns = [Frame("forward", "forward", first, column=True)]
    if second:
        columns.append(Frame("backward", "backward: gradients of the loss", second, column=True))
    items, moved = stacked(tuple(columns), tuple(edges))
    return Scene(program.name, f"The computation of {program.name}, op by op.", items, moved)


def _ancestors(graph: Graph, values: Iterable[str]) -> set[str]:
    left = list(values)
    found = set(left)
    while left:
        for name in graph[left.pop()].inputs:
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def _card(node: Node, graph: Graph) -> Card:
    if node.op in ("input", "target"):
        kind: Kind = "input" if node.op == "input" else "target"
        name = str(node.attribute("name"))
        return Card(node.name, (Part(name, kind, (name, str(node.type), origin_text(node))),), "pill")
    weights = [name for name in node.inputs if graph[name].op == "weight"]
    numbers = [_number(graph[name]) for name in node.inputs if graph[name].op == "constant"]
    settings = [f"{key} = {value}" for key, value in node.attributes]
    text = f"{node.op}({', '.join([*weights, *numbers])})" if weights or numbers else node.op
    makes = [weight for weight, value in graph.gradients if value == node.name]
    results = {graph.loss: "loss"} | {value: name for name, value in graph.metrics}
    result = results.get(node.name, "")
    tip = (
        node.layer,
        node.name,
        f"{node.op}({', '.join([*node.inputs, *settings])})",
        str(node.type),
        origin_text(node),
    )
    note = f"for {', '.join(makes)}" if makes else ""
    part = Part(text, "loss" if node.name == graph.loss else op_kind(node.op), tip, result, note)
    form: Form = "card"
    return Card(node.name, (part,), form)


def _number(node: Node) -> str:
    value = node.attribute("value")
    return f"{value:.4g}" if isinstance(value, (int, float)) else "[...]"
