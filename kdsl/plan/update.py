"""What follows the backward pass: every weight's gradient and its step, cut into chunks that threads take.

A large matrix is cut into 32 or 16 columns a chunk; what is small shares a chunk with its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdsl.graph.graph import Graph, Node
from kdsl.plan.layout import PANEL
from kdsl.plan.memory import WeightPlace
from kdsl.plan.places import Unsupported
from kdsl.plan.rows import BATCH_SUMS

COLUMNS = 32  # of a large matrix in one chunk
SMALL = 700_000  # floating-point operations that are worth a chunk


@dataclass(frozen=True, slots=True)
class WeightStep:
    """One weight's update: `terms` are the nodes whose sum is its gradient, `pieces` how many chunks it is cut into, of
    `cut` columns each."""

    weight: WeightPlace
    terms: tuple[Node, ...]
    flops: int
    pieces: int
    cut: int


@dataclass(frozen=True, slots=True)
class Group:
    """Chunks first .. first + chunks - 1: one weight cut into pieces, or several weights in one chunk."""

    first: int
    chunks: int
    steps: tuple[WeightStep, ...]


def terms_of(graph: Graph, value: str) -> tuple[Node, ...]:
    """The sums over the batch that a weight's gradient is the sum of."""
    node = graph[value]
    if node.op in BATCH_SUMS:
        return (node,)
    if node.op == "add":
        return tuple(term for name in node.inputs for term in terms_of(graph, name))
    raise Unsupported(f"the numba target cannot compute a weight's gradient by `{node.op}`")


def weight_steps(graph: Graph, weights: Sequence[tuple[WeightPlace, str]], batch: int) -> list[WeightStep]:
    """`weights` are (place, value of the gradient)."""
    steps = []
    for place, value in weights:
        terms = terms_of(graph, value)
        flops = sum(2 * place.size * batch if place.matrix else place.size * batch for _ in terms)
        cut = _cut(place, flops)
        steps.append(WeightStep(place, terms, flops, -(-place.columns // cut), cut))
    return steps


def _cut(place: WeightPlace, flops: int) -> int:
    """Columns of one chunk: as few as are worth one, 32 or 16; all of them where even 32 are not."""
    for columns in (PANEL, COLUMNS):
        if place.matrix and columns < place.columns and flops * columns // place.columns >= SMALL:
            return COLUMNS if place.columns > 4 * COLUMNS else columns
    return place.columns


def grouped(steps: Sequence[WeightStep]) -> list[Group]:
    """Cut weights alone, small ones together until they are worth a chunk."""
    groups: list[Group] = []
    pending: list[WeightStep] = []

    def close() -> None:
        if pending:
            groups.append(Group(sum(g.chunks for g in groups), 1, tuple(pending)))
            pending.clear()

    for step in sorted(steps, key=lambda step: step.pieces == 1):  # stable: the cut ones first
        if step.pieces > 1:
            groups.append(Group(sum(g.chunks for g in groups), step.pieces, (step,)))
            continue
        if sum(s.flops for s in pending) >= SMALL:
            close()
        pending.append(step)
    close()
    return groups
