"""Elementwise ops that feed each other make one sweep over memory."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.graph.verify import Stage
from kdsl.passes.fusing import gathered, joins, places_of, with_groups
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass


@dataclass(frozen=True)
class FuseElementwise(Pass):
    """An elementwise op and all elementwise ops of its shape that only it (and what is already with it) reads become
    one fused node of the kind "elementwise". What they read besides may broadcast. Only the last value is seen outside."""

    name: ClassVar[str] = "fuse_elementwise"
    needs: ClassVar[tuple[str, ...]] = ("fuse_epilogues",)
    stage: ClassVar[Stage | None] = "optimised"

    def run(self, graph: Graph) -> Graph:
        users, results, places = graph.users(), set(graph.results), places_of(graph)
        groups: dict[str, list[Node]] = {}
        taken: set[str] = set()
        for node in reversed(graph.nodes):
            if node.name in taken or not joins(node, graph, broadcasts=True):
                continue
            body = gathered(graph, node, places, users, results)
            if len(body) > 1:
                groups[node.name] = body
                taken |= {part.name for part in body}
        return with_groups(graph, "elementwise", groups)
