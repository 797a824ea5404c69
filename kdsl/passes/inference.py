"""From training to inference."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph, Node, attributes_of
from kdsl.ops.dropout import IMAGE_CHANGES
from kdsl.passes.expand_batch_norm import expanded
from kdsl.passes.pass_ import Kind, Pass
from kdsl.records import dataclass, replace

MEANS = {"random_normal": 0.0, "random_uniform": 0.5}


@dataclass(frozen=True)
class Inference(Pass):
    """Random ops become what they are at inference: dropout, changes of images and mixtures of rows hand their input on, noise
    is none, drawn values are their mean unless they are drawn always. Batch normalisation takes its moving statistics. Nothing is kept from gradients."""

    name: ClassVar[str] = "inference"
    optional: ClassVar[bool] = False
    kinds: ClassVar[tuple[Kind, ...]] = ("evaluate", "predict")

    def run(self, graph: Graph) -> Graph:
        names: dict[str, str] = {}
        nodes: list[Node] = []
        for node in expanded(graph, training=False).nodes:
            if node.op in ("dropout", "stop_gradient", "mix_rows", *IMAGE_CHANGES):
                names[node.name] = names.get(node.inputs[0], node.inputs[0])
            elif node.op == "while_training":
                names[node.name] = names.get(node.inputs[1], node.inputs[1])
            else:
                nodes.append(_mean(node.renamed(names)))
        return graph.with_results(names, tuple(nodes))


def _mean(node: Node) -> Node:
    """A value that is drawn in training only, as its mean."""
    if node.op not in MEANS or node.attribute("always"):
        return node
    attributes = attributes_of({"shape": node.attribute("shape"), "value": MEANS[node.op]})
    return replace(node, op="full", attributes=attributes)
