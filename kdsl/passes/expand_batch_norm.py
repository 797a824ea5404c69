"""Batch normalisation becomes arithmetic: with the batch's statistics in training, with moving ones at inference."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.builder import Builder
from kdsl.graph.graph import Graph, Node
from kdsl.passes.pass_ import Kind, Pass
from kdsl.records import dataclass, replace


@dataclass(frozen=True)
class ExpandBatchNorm(Pass):
    """`batch_norm` nodes become arithmetic with the batch's mean and variance, and updates of the moving ones; a frozen
    layer, which has weights of which none is trained, takes the moving ones, as at inference."""

    name: ClassVar[str] = "expand_batch_norm"
    optional: ClassVar[bool] = False
    kinds: ClassVar[tuple[Kind, ...]] = ("train",)

    def run(self, graph: Graph) -> Graph:
        return expanded(graph, training=True)


def expanded(graph: Graph, training: bool) -> Graph:
    """The graph without `batch_norm` nodes."""
    if not graph.of("batch_norm"):
        return graph
    build = Builder()
    updates = dict(graph.updates)
    for node in graph.nodes:
        if node.op != "batch_norm":
            build.append(node)
            continue
        with build.at(*node.origin, layer=node.layer):
            _normalised(build, graph, node, training and not _frozen(graph, node), updates)
    return replace(graph, nodes=tuple(build.nodes), updates=tuple(updates.items()))


def _frozen(graph: Graph, node: Node) -> bool:
    weights = [graph[name] for name in node.inputs[1:3] if graph[name].op == "weight"]
    return bool(weights) and not any(weight.keywords.get("trainable", True) for weight in weights)


def _normalised(build: Builder, graph: Graph, node: Node, training: bool, updates: dict[str, str]) -> None:
    x, gamma, beta, mean, variance = node.inputs
    epsilon, momentum = node.attribute("epsilon"), node.attribute("momentum")
    assert isinstance(epsilon, float) and isinstance(momentum, float)
    path = node.name
    if training:
        moving = mean, variance
        mean = build.add("batch_mean", [x], name=f"{path}.mean")
        middle = build.add("stop_gradient", [mean], name=f"{path}.middle")  # the variance is smallest there: no slope
        variance = build.add("batch_variance", [x, middle], name=f"{path}.variance")
        for old, new in zip(moving, (mean, variance), strict=True):
            # A layer that runs twice with the same weights moves them twice.
            kept = build.add("multiply", [updates.get(old, old), build.constant(momentum)], name=f"{old}.kept")
            added = build.add("multiply", [new, build.constant(1.0 - momentum)], name=f"{old}.added")
            updates[old] = build.add("add", [kept, added], name=f"{old}.moved")
    padded = build.add("add", [variance, build.constant(epsilon)], name=f"{path}.padded")
    factor = build.add("rsqrt", [padded], name=f"{path}.rsqrt")
    if graph[gamma].op != "constant":
        factor = build.add("multiply", [factor, gamma], name=f"{path}.factor")
    centered = build.add("subtract", [x, mean], name=f"{path}.centered")
    if graph[beta].op == "constant":
        build.add("multiply", [centered, factor], name=path)
        return
    scaled = build.add("multiply", [centered, factor], name=f"{path}.scaled")
    build.add("add", [scaled, beta], name=path)
