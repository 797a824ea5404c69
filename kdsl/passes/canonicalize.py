"""One form for what can be written in several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.passes.origins import merged
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass, replace

FUSED_FORMS = {
    "negative_log_likelihood": "softmax_cross_entropy",
    "sparse_negative_log_likelihood": "sparse_softmax_cross_entropy",
}


@dataclass(frozen=True)
class Canonicalize(Pass):
    """`mean(negative_log_likelihood(log_softmax(logits), target))` becomes one op, whose gradient is a difference
    instead of three steps; a reshape of a reshape becomes one."""

    name: ClassVar[str] = "canonicalize"

    def run(self, graph: Graph) -> Graph:
        kept: dict[str, Node] = {}
        for node in graph.nodes:
            kept[node.name] = _cross_entropy(node, kept) or _reshape(node, kept) or node
        return graph.with_results({}, tuple(kept.values()))


def _cross_entropy(node: Node, kept: Mapping[str, Node]) -> Node | None:
    if node.op != "mean":
        return None
    likelihood = kept[node.inputs[0]]
    if likelihood.op not in FUSED_FORMS:
        return None
    scores, target = likelihood.inputs
    log_softmax = kept[scores]
    if log_softmax.op != "log_softmax" or log_softmax.attribute("axis") != -1:
        return None
    return replace(
        node,
        op=FUSED_FORMS[likelihood.op],
        inputs=(log_softmax.inputs[0], target),
        attributes=likelihood.attributes,
        origin=merged([node, likelihood, log_softmax]),
    )


def _reshape(node: Node, kept: Mapping[str, Node]) -> Node | None:
    if node.op != "reshape" or kept[node.inputs[0]].op != "reshape":
        return None
    inner = kept[node.inputs[0]]
    return replace(node, inputs=inner.inputs, origin=merged([node, inner]))
