"""What follows a product element by element is done while the product is still in registers."""

from __future__ import annotations

from typing import ClassVar

from kdsl.graph.graph import Graph, Node
from kdsl.graph.verify import Stage
from kdsl.passes.fusing import joins, with_groups
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass

CONTRACTIONS = ("matmul", "matmul_data_gradient", "conv", "conv_data_gradient")


@dataclass(frozen=True)
class FuseEpilogues(Pass):
    """A product of matrices, or a convolution, and the chain of bias, activation, dropout, activation gradient ... after it become one fused
    node of the kind "contraction". Each part reads the part before it; only the last value is seen outside, so a value
    that is needed elsewhere, or is a result, ends the chain."""

    name: ClassVar[str] = "fuse_epilogues"
    needs: ClassVar[tuple[str, ...]] = ("differentiate", "canonicalize", "simplify_gradients", "dead_code")
    stage: ClassVar[Stage | None] = "optimised"

    def run(self, graph: Graph) -> Graph:
        users, results = graph.users(), set(graph.results)
        groups: dict[str, list[Node]] = {}
        taken: set[str] = set()
        for node in graph.nodes:
            if node.op not in CONTRACTIONS:
                continue
            body = [node]
            while body[-1].name not in results and len(users[body[-1].name]) == 1:
                (follower,) = users[body[-1].name]
                if follower.name in taken or follower.type != node.type:
                    break
                if not joins(follower, graph):
                    break
                body.append(follower)
            if len(body) > 1:
                groups[body[-1].name] = body
                taken.update(part.name for part in body)
        return with_groups(graph, "contraction", groups)
