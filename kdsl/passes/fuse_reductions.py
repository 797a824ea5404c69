"""What is reduced right after it is computed need not be written down."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.graph.verify import REDUCTIONS, Stage
from kdsl.passes.fusing import gathered, joins, places_of, with_groups
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass


@dataclass(frozen=True)
class FuseReductions(Pass):
    """A reduction (`reduce_sum`, `sum_to` ...) and the elementwise ops that only it reads, directly or through each other,
    become one fused node of the kind "reduction": the sum of squares of a norm, the products of a gradient that is summed
    over the batch. What they read besides may broadcast."""

    name: ClassVar[str] = "fuse_reductions"
    needs: ClassVar[tuple[str, ...]] = ("fuse_epilogues",)
    stage: ClassVar[Stage | None] = "optimised"

    def run(self, graph: Graph) -> Graph:
        users, results, places = graph.users(), set(graph.results), places_of(graph)
        groups: dict[str, list[Node]] = {}
        for node in graph.nodes:
            if node.op not in REDUCTIONS:
                continue
            (operand,) = (graph[name] for name in node.inputs)
            alone = len(users[operand.name]) == 1 and operand.name not in results
            if alone and joins(operand, graph, broadcasts=True):
                groups[node.name] = [*gathered(graph, operand, places, users, results), node]
        return with_groups(graph, "reduction", groups)
