"""Reverse-mode automatic differentiation in the graph: the backward pass is made of ordinary nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from kdsl.graph.builder import Builder
from kdsl.graph.graph import SOURCES, Graph, Node
from kdsl.passes.dead_code import reached
from kdsl.passes.expand_batch_norm import expanded
from kdsl.passes.pass_ import Kind, Pass
from kdsl.records import dataclass, replace

if TYPE_CHECKING:
    from kdsl.graph.verify import Stage


@dataclass(frozen=True)
class Differentiate(Pass):
    """Adds the loss's gradient for every trainable weight it depends on: `graph.gradients`, in order of the weights.

    A value that is read several times gets the sum of what its readers send back. Gradients are called
    `gradient.<value>` and come from the source lines of what they are the gradient of.
    """

    name: ClassVar[str] = "differentiate"
    optional: ClassVar[bool] = False
    kinds: ClassVar[tuple[Kind, ...]] = ("train",)
    stage: ClassVar[Stage | None] = "differentiated"

    def run(self, graph: Graph) -> Graph:
        if graph.loss is None:
            return graph
        build, totals = _sent_back(graph)
        gradients = tuple((node.name, totals[node.name]) for node in _trainable(graph) if node.name in totals)
        whole = replace(graph, nodes=tuple(build.nodes), gradients=gradients)
        # Ops offer a gradient for every input; those that nobody wanted go again.
        wanted = reached(whole)
        return replace(whole, nodes=tuple(n for n in whole.nodes if n.name in graph or n.name in wanted))


def _sent_back(graph: Graph) -> tuple[Builder, dict[str, str]]:
    """The graph with the backward pass behind it, and the gradient of every value that gets one."""
    varying = _varying(graph)
    build = Builder(graph.nodes)
    received: dict[str, list[str]] = {}
    totals: dict[str, str] = {}
    assert graph.loss is not None
    with build.at(*graph[graph.loss].origin):
        received[graph.loss] = [build.constant(1.0, name=f"gradient.{graph.loss}")]
    for node in reversed(graph.nodes):
        if node.name not in received or node.name not in varying:
            continue
        with build.at(*node.origin, layer=node.layer):
            upstream = totals[node.name] = _sum(build, node.name, received[node.name])
            for value, gradient in zip(node.inputs, _backward(build, node, upstream), strict=True):
                if gradient is not None and value in varying:
                    received.setdefault(value, []).append(gradient)
    return build, totals


@dataclass(frozen=True)
class Stop:
    """A trainable weight that the loss depends on and that gets no gradient. `node` is what lets none through, on the way
    back from the loss: argmax, a comparison, a rounding, an accuracy ..."""

    weight: str
    node: Node


def stops(graph: Graph) -> tuple[Stop, ...]:
    """The weights of a forward graph that training would leave alone although its loss depends on them."""
    if graph.loss is None:
        return ()
    graph = expanded(graph, training=True)
    _, totals = _sent_back(graph)
    used = reached(replace(graph, outputs=(), metrics=(), updates=()))
    found = []
    for weight in _trainable(graph):
        if weight.name in used and weight.name not in totals:
            found.append(Stop(weight.name, _obstacle(graph, weight.name, totals)))
    return tuple(found)


def _obstacle(graph: Graph, weight: str, gradients: Mapping[str, str]) -> Node:
    """The op that lets no gradient through to the weight."""
    from kdsl.ops.registry import OPS

    behind = {weight}
    for node in graph.nodes:
        if behind.intersection(node.inputs):
            behind.add(node.name)
    node = next(node for node in graph.nodes if node.name in behind and node.name in gradients)
    while OPS[node.op].differentiable:
        # A choice by a condition, or a float of a whole number: what made the condition or the number is to blame.
        inner = next(graph[name] for name in node.inputs if name in behind)
        if inner.op in SOURCES or (inner.type.dtype == "f32" and node.op != "where"):
            return node
        node = inner
    return node


def without_gradient(graph: Graph) -> tuple[str, ...]:
    """Trainable weights of a forward graph that its loss sends no gradient to: training leaves them as they are."""
    found = {weight for weight, _ in Differentiate().run(expanded(graph, training=True)).gradients}
    return tuple(node.name for node in _trainable(graph) if node.name not in found)


def _trainable(graph: Graph) -> list[Node]:
    return [node for node in graph.of("weight") if node.keywords.get("trainable", True)]


def _varying(graph: Graph) -> set[str]:
    """The values that depend on a trainable weight."""
    found = {node.name for node in _trainable(graph)}
    for node in graph.nodes:
        if found.intersection(node.inputs):
            found.add(node.name)
    return found


def _sum(build: Builder, value: str, parts: list[str]) -> str:
    total, *rest = parts
    for part in rest:
        total = build.add("add", [total, part], name=f"gradient.{value}.sum")
    return total


def _backward(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
    from kdsl.ops.registry import OPS

    if node.op in SOURCES:
        return ()
    if not OPS[node.op].differentiable:
        return (None,) * len(node.inputs)  # elaboration has asked `stops` and told the user
    return OPS[node.op].gradient(build, node, upstream)
