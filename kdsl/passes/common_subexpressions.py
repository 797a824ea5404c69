"""The same computation once."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.passes.origins import merged
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass, replace

FROM_OUTSIDE = ("input", "target", "weight")


@dataclass(frozen=True)
class CommonSubexpressions(Pass):
    """Nodes with the same op, inputs and attributes become the first of them, which takes over their origins. Random
    ops of different streams differ in an attribute and stay apart."""

    name: ClassVar[str] = "common_subexpressions"

    def run(self, graph: Graph) -> Graph:
        names: dict[str, str] = {}
        first: dict[tuple[object, ...], str] = {}
        kept: dict[str, Node] = {}
        others: dict[str, list[Node]] = {}
        for original in graph.nodes:
            node = original.renamed(names)
            # The text of the attributes tells 0.0 from -0.0 and 1 from True, which are equal as numbers.
            key = (node.op, node.inputs, repr(node.attributes), node.type, node.body)
            if node.op in FROM_OUTSIDE or key not in first:
                first.setdefault(key, node.name)
                kept[node.name] = node
            else:
                names[node.name] = first[key]
                others.setdefault(first[key], []).append(node)
        for name, same in others.items():
            kept[name] = replace(kept[name], origin=merged([kept[name], *same]))
        return graph.with_results(names, tuple(kept.values()))
