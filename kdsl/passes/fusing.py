"""What the two fusing passes share: what may stand in a fused node, and how one is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heapify, heappop, heappush

from kdsl.graph.graph import FUSED, Graph, Node, attributes_of
from kdsl.graph.types import TensorType
from kdsl.passes.origins import merged

Users = Mapping[str, list[Node]]


def joins(node: Node, graph: Graph, broadcasts: bool = False) -> bool:
    """Whether a fused kernel can compute this node element by element: an elementwise op or dropout on batched values,
    whose operands are of the result's shape, a vector along the last axis, or a single number; with `broadcasts`, of any
    shape that broadcasts."""
    from kdsl.ops.registry import OPS

    op = OPS.get(node.op)
    if op is None or not node.type.batched or not (op.elementwise or node.op == "dropout"):
        return False
    return broadcasts or all(_fits(graph[name].type, node.type) for name in node.inputs)


def gathered(graph: Graph, node: Node, places: Mapping[str, int], users: Users, results: Collection[str]) -> list[Node]:
    """The node, and all elementwise nodes of its shape that only it and each other read, in order. `places` are those of
    all nodes in the graph."""
    members = {node.name: places[node.name]}
    waiting = [-places[name] for name in node.inputs]  # the last first: all that read a value stand behind it
    heapify(waiting)
    while waiting:
        earlier = graph.nodes[-heappop(waiting)]
        only_here = earlier.name not in results and all(user.name in members for user in users[earlier.name])
        fits = alike(earlier.type, node.type) and joins(earlier, graph, broadcasts=True)
        if only_here and fits and earlier.name not in members:
            members[earlier.name] = places[earlier.name]
            for name in earlier.inputs:
                heappush(waiting, -places[name])
    return [graph.nodes[place] for place in sorted(members.values())]


def places_of(graph: Graph) -> dict[str, int]:
    return {node.name: place for place, node in enumerate(graph.nodes)}


def alike(one: TensorType, other: TensorType) -> bool:
    """Whether one loop goes over both; what the elements are does not matter."""
    return one.shape == other.shape and one.batched == other.batched


def _fits(operand: TensorType, result: TensorType) -> bool:
    if operand.batched:
        return operand.shape == result.shape
    return operand.size == 1 or operand.shape == result.shape[-1:]


def fused(kind: str, body: Sequence[Node]) -> Node:
    """The node that stands for `body`, called by its last value."""
    inside = {node.name for node in body}
    inputs = tuple(dict.fromkeys(name for node in body for name in node.inputs if name not in inside))
    last = body[-1]
    attributes = attributes_of({"kind": kind})
    return Node(last.name, FUSED, inputs, attributes, last.type, merged(body), last.layer, tuple(body))


def with_groups(graph: Graph, kind: str, groups: Mapping[str, Sequence[Node]]) -> Graph:
    """`groups` maps a last value to its body: the body's nodes go, the fused node stands where the last one stood."""
    gone = {node.name for body in groups.values() for node in body}
    nodes = tuple(
        fused(kind, groups[node.name]) if node.name in groups else node
        for node in graph.nodes
        if node.name in groups or node.name not in gone
    )
    return graph.with_results({}, nodes)
