"""Elementwise ops that feed each other make one sweep over memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.graph.verify import Stage
from kdsl.passes.fusing import alike, joins, with_groups
from kdsl.passes.pass_ import Pass


@dataclass(frozen=True)
class FuseElementwise(Pass):
    """An elementwise op and all elementwise ops of its shape that only it (and what is already with it) reads become
    one fused node of the kind "elementwise". What they read besides may broadcast. Only the last value is seen outside."""

    name: ClassVar[str] = "fuse_elementwise"
    needs: ClassVar[tuple[str, ...]] = ("fuse_epilogues",)
    stage: ClassVar[Stage | None] = "optimised"

    def run(self, graph: Graph) -> Graph:
        users, results = graph.users(), set(graph.results)
        groups: dict[str, list[Node]] = {}
        taken: set[str] = set()
        for last in range(len(graph.nodes) - 1, -1, -1):
            node = graph.nodes[last]
            if node.name in taken or not joins(node, graph, broadcasts=True):
                continue
            members = {node.name}
            for earlier in reversed(graph.nodes[:last]):
                only_here = all(user.name in members for user in users[earlier.name])
                visible = earlier.name in results or not users[earlier.name]
                fits = alike(earlier.type, node.type) and joins(earlier, graph, broadcasts=True)
                if only_here and not visible and fits:
                    members.add(earlier.name)
            if len(members) > 1:
                groups[node.name] = [part for part in graph.nodes[: last + 1] if part.name in members]
                taken |= members
        return with_groups(graph, "elementwise", groups)
