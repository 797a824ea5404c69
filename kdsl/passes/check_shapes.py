"""Guards the compiler: users' shape errors are found during elaboration."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph
from kdsl.graph.verify import verify
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass


@dataclass(frozen=True)
class CheckShapes(Pass):
    """Derives the type of every node anew and compares; the graph stays as it is. Raises VerifyError."""

    name: ClassVar[str] = "check_shapes"
    optional: ClassVar[bool] = False

    def run(self, graph: Graph) -> Graph:
        verify(graph, "forward")
        return graph
