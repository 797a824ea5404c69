"""When each value of a graph can be computed: before a batch, in which pass over its rows, behind which, or only for the update.

A value with rows belongs to a stage: a pass over all rows of the batch. One without rows is known behind a stage; what is made of
weights alone is known before the first one. What reads a sum over the batch, or rows beside its own, belongs to the stage after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kdsl.graph.graph import SOURCES, Graph, Node
from kdsl.ops.registry import OPS

PREPARED = -1
FINISHED = 1 << 20  # behind the late sums

# Ops a row of which is made of several rows of an operand.
ACROSS_ROWS = frozenset({"mix_rows"})

# Sums over the batch that are worth keeping their operands for: a product, or a table larger than what is added to it.
LATE_SUMS = frozenset({"matmul_kernel_gradient", "bias_gradient", "gather_gradient", "einsum"})


@dataclass(frozen=True)
class Levels:
    """of      value -> the stage it is computed in (with rows) or behind (without)
    late    sums over the batch that only gradients read; those among them that are terms of a weight's gradient and
            nothing else are `direct`
    terms   weight -> the values whose sum is its gradient
    trees   additions that the update does itself
    own     terms that the update computes piece by piece from weights of the gradient's shape and from numbers: the
            elementwise nodes of each, in order
    """

    of: Mapping[str, int]
    late: frozenset[str]
    direct: frozenset[str]
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trees: frozenset[str] = frozenset()
    own: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)

    @property
    def in_update(self) -> frozenset[str]:
        """All that the update computes."""
        return self.direct | self.trees | {node.name for body in self.own.values() for node in body}

    @property
    def stages(self) -> int:
        return 1 + max((level for level in self.of.values() if level < FINISHED), default=0)


def is_batch_sum(node: Node, graph: Graph) -> bool:
    """Whether a value without rows is made of values with rows."""
    return not node.type.batched and any(graph[name].type.batched for name in node.inputs)


def _in_pieces(node: Node, graph: Graph) -> bool:
    """Whether the update can compute the sum piece by piece, with the step of the weight that it is the gradient of."""
    if node.op == "gather_gradient":
        upstream, indices = (graph[name].type for name in node.inputs)
        rows = upstream.batched and indices.batched and indices.rank <= 1
        return rows and node.type.rank == 2 and node.attribute("axis") == 0
    return node.op in ("matmul_kernel_gradient", "bias_gradient")


def levels(graph: Graph) -> Levels:
    late = _late_sums(graph)
    terms, trees = _gradient_terms(graph)
    users = graph.users()
    direct = {
        name
        for name in late
        if _in_pieces(graph[name], graph) and all(user.name in trees for user in users[name]) and _is_term(name, terms)
    }
    of: dict[str, int] = {}
    for node in graph:
        if node.name in late:
            of[node.name] = FINISHED
            continue
        over_rows = node.type.batched or is_batch_sum(node, graph)
        across = node.op in ACROSS_ROWS
        before = [of[name] + (across or (over_rows and not graph[name].type.batched)) for name in node.inputs]
        first = 0 if node.type.batched else PREPARED
        of[node.name] = first if node.op in SOURCES else max([first, *before])
    return Levels(of, late, frozenset(direct), terms, trees, _own_terms(graph, terms, trees))


def _late_sums(graph: Graph) -> frozenset[str]:
    """Sums of the kinds above that neither a value with rows nor the loss, a metric or an output is made of."""
    needed = {value for _, value in (*graph.outputs, *graph.metrics)} | ({graph.loss} if graph.loss else set())
    for node in reversed(graph.nodes):
        if node.type.batched or node.name in needed:
            needed.update(node.inputs)
    late = [n for n in graph if n.op in LATE_SUMS and is_batch_sum(n, graph) and n.name not in needed]
    kept = {name for node in late if node.op != "bias_gradient" for name in node.inputs}
    # A bias's gradient alone is not worth keeping many places for.
    return frozenset(
        node.name
        for node in late
        if node.op != "bias_gradient" or node.inputs[0] in kept or graph[node.inputs[0]].type.rank < 2
    )


def _gradient_terms(graph: Graph) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The terms of every weight's gradient, and the additions between them that nothing else reads."""
    results = {value for value in (graph.loss, *(v for _, v in (*graph.outputs, *graph.metrics))) if value}
    trees: set[str] = set()
    gradients = {value for _, value in graph.gradients}
    users = graph.users()
    for node in reversed(graph.nodes):
        plain = all(graph[name].type == node.type for name in node.inputs) and not node.type.batched
        wanted = node.name in gradients or bool(users[node.name])
        inside = all(user.name in trees for user in users[node.name])
        if node.op == "add" and plain and wanted and inside and node.name not in results:
            trees.add(node.name)

    def leaves(value: str) -> tuple[str, ...]:
        if value not in trees:
            return (value,)
        return tuple(leaf for name in graph[value].inputs for leaf in leaves(name))

    return {weight: leaves(value) for weight, value in graph.gradients}, frozenset(trees)


def _own_terms(
    graph: Graph, terms: Mapping[str, tuple[str, ...]], trees: frozenset[str]
) -> dict[str, tuple[Node, ...]]:
    """Terms that are made of weights of their shape, and numbers, by elementwise ops that nothing else reads."""
    users, results = graph.users(), set(graph.results)

    def chain(value: str, readers: frozenset[str], last: bool) -> list[Node] | None:
        """The nodes that make the value, or None where it is made of anything else."""
        node = graph[value]
        if node.op == "weight" or node.type.size == 1:
            return []
        op = OPS.get(node.op)
        if op is None or not op.elementwise or op.run_time or node.type.batched:
            return None
        if any(user.name not in readers for user in users[value]) or (value in results and not last):
            return None
        found: list[Node] = []
        for name in dict.fromkeys(node.inputs):
            before = chain(name, frozenset({value}), False)
            if before is None or (graph[name].type != node.type and graph[name].type.size != 1):
                return None
            found += before
        return [*found, node]

    own = {}
    for value in [value for leaves in terms.values() for value in leaves]:
        body = chain(value, trees, True)
        if body and sum(leaves.count(value) for leaves in terms.values()) == 1:
            own[value] = tuple(body)
    return own


def _is_term(name: str, terms: Mapping[str, tuple[str, ...]]) -> bool:
    return any(name in leaves for leaves in terms.values())
