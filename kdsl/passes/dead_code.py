"""What nobody asks for is not computed."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass


@dataclass(frozen=True)
class DeadCode(Pass):
    """Nodes that no result depends on go, inputs and weights among them."""

    name: ClassVar[str] = "dead_code"

    def run(self, graph: Graph) -> Graph:
        wanted = reached(graph)
        return graph.with_results({}, tuple(node for node in graph.nodes if node.name in wanted))


def reached(graph: Graph) -> set[str]:
    """The values that the results depend on, and the results."""
    wanted = set(graph.results)
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return wanted
