"""Gradients written with what the forward pass keeps anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kdsl.graph.builder import Builder
from kdsl.graph.graph import Graph, Node
from kdsl.ops.dropout import keep_scale
from kdsl.passes.pass_ import Kind, Pass
from kdsl.records import dataclass


@dataclass(frozen=True)
class SimplifyGradients(Pass):
    """relu beside dropout, either way round: what left both is positive exactly where relu let through and dropout kept.

    With `d = dropout(r)`, `r = relu(x)`: `relu_gradient(dropout(u), r)` becomes `relu_gradient(u, d) * scale`.
    With `r = relu(d)`, `d = dropout(x)`: `dropout(relu_gradient(u, r))` becomes `relu_gradient(u, r) * scale`.
    The mask is not drawn a second time, and only the last value need be kept. `stop_gradient` and `while_training`
    have done their work and go.

    A pool's gradient `p = max_pool_gradient(u, x, y)` takes every number of u to a place where x is y: so
    `relu_gradient(p, x)` becomes `max_pool_gradient(relu_gradient(u, y), x, y)`, and the sum of p is that of u.
    """

    name: ClassVar[str] = "simplify_gradients"
    needs: ClassVar[tuple[str, ...]] = ("differentiate",)
    kinds: ClassVar[tuple[Kind, ...]] = ("train",)

    def run(self, graph: Graph) -> Graph:
        dropped = {node.inputs[0]: node for node in graph.of("dropout") if not _is_gradient(node, graph)}
        build = Builder()
        seen: dict[str, Node] = {}
        pools: dict[str, Node] = {}
        names: dict[str, str] = {}
        for original in graph.nodes:
            node = original.renamed(names)
            if node.op in ("stop_gradient", "while_training"):
                names[node.name] = node.inputs[0]
                continue
            with build.at(*node.origin, layer=node.layer):
                if not (
                    _relu_after(node, seen, dropped, build)
                    or _dropout_after(node, seen, build)
                    or _relu_before_pool(node, pools, build)
                    or _bias_before_pool(node, pools, build)
                ):
                    build.append(node)
            seen[node.name] = node
            if build.nodes[-1].op in ("max_pool_gradient", "avg_pool_gradient"):
                pools[node.name] = build.nodes[-1]
        return graph.with_results(names, tuple(build.nodes))


def _is_gradient(node: Node, graph: Graph) -> bool:
    """A dropout of the backward pass has the stream of an earlier one."""
    first = next(n for n in graph.of("dropout") if n.attributes == node.attributes)
    return first is not node


def _relu_after(node: Node, seen: Mapping[str, Node], dropped: Mapping[str, Node], build: Builder) -> bool:
    """`relu_gradient(dropout(u), r)` where `d = dropout(r)` draws the same mask: d is positive where r is and was kept."""
    if node.op != "relu_gradient":
        return False
    masked, output = node.inputs
    kept = dropped.get(output)
    if kept is None or seen[masked].op != "dropout" or seen[masked].attributes != kept.attributes:
        return False
    _scaled(node, seen[masked].inputs[0], kept, kept.name, build)
    return True


def _dropout_after(node: Node, seen: Mapping[str, Node], build: Builder) -> bool:
    """`dropout(relu_gradient(u, r))` where `r = relu(d)` and d drew the same mask."""
    if node.op != "dropout" or seen[node.inputs[0]].op != "relu_gradient":
        return False
    upstream, output = seen[node.inputs[0]].inputs
    relu = seen[output]
    if relu.op != "relu" or seen[relu.inputs[0]].op != "dropout":
        return False
    if seen[relu.inputs[0]].attributes != node.attributes:
        return False
    _scaled(node, upstream, node, output, build)
    return True


def _relu_before_pool(node: Node, pools: Mapping[str, Node], build: Builder) -> bool:
    """`relu_gradient(max_pool_gradient(u, x, y), x)`."""
    pool = pools.get(node.inputs[0]) if node.op == "relu_gradient" else None
    if pool is None or pool.op != "max_pool_gradient" or pool.inputs[1] != node.inputs[1]:
        return False
    upstream, x, y = pool.inputs
    through = build.add("relu_gradient", [upstream, y], name=f"{node.name}.of_pool")
    build.add("max_pool_gradient", [through, x, y], dict(pool.attributes), name=node.name)
    return True


def _bias_before_pool(node: Node, pools: Mapping[str, Node], build: Builder) -> bool:
    """`bias_gradient` of a pool's gradient."""
    pool = pools.get(node.inputs[0]) if node.op == "bias_gradient" else None
    if pool is None:
        return False
    build.add("bias_gradient", [pool.inputs[0]], dict(node.attributes), name=node.name)
    return True


def _scaled(node: Node, upstream: str, dropout: Node, positive: str, build: Builder) -> None:
    rate = dropout.attribute("rate")
    scale = build.constant(keep_scale(float(rate)) if isinstance(rate, (int, float)) else 1.0, f"{node.name}.scale")
    through = build.add("relu_gradient", [upstream, positive], name=f"{node.name}.through")
    build.add("multiply", [through, scale], name=node.name)
