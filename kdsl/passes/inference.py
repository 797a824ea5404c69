"""From training to inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.passes.pass_ import Kind, Pass


@dataclass(frozen=True)
class Inference(Pass):
    """Random ops become what they are at inference: dropout hands its input on."""

    name: ClassVar[str] = "inference"
    optional: ClassVar[bool] = False
    kinds: ClassVar[tuple[Kind, ...]] = ("evaluate", "predict")

    def run(self, graph: Graph) -> Graph:
        names: dict[str, str] = {}
        nodes: list[Node] = []
        for node in graph.nodes:
            if node.op == "dropout":
                names[node.name] = names.get(node.inputs[0], node.inputs[0])
            else:
                nodes.append(node.renamed(names))
        return graph.with_results(names, tuple(nodes))
