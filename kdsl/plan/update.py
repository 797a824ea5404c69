"""What follows the backward pass: every weight's gradient and its step, cut into chunks that threads take.

A large matrix in panels is cut into 32 or 16 columns a chunk, a weight in lines into runs of lines, and so is a matrix whose
product is made ahead; what is small shares a chunk with its neighbours. Sums over the batch that other values are made of are computed before, in chunks of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdsl.graph.graph import Graph, Node
from kdsl.plan.ahead import Ahead
from kdsl.plan.launch import Buffer, Launch, Part, Stages
from kdsl.plan.layout import PANEL
from kdsl.plan.levels import Levels
from kdsl.plan.memory import WeightPlace

COLUMNS = 32  # of a large matrix in one chunk
SMALL = 700_000  # floating-point operations that are worth a chunk


@dataclass(frozen=True, slots=True)
class WeightStep:
    """One weight's update: its gradient is the sum of `terms`, sums over the batch, of `own`, maps of weights, and of `values`,
    which are computed already. `pieces` is how many chunks it is cut into, of `cut` columns each, or lines where it is cut
    `by_lines`. Pieces whose product is made `ahead` end with their share of the next one."""

    weight: WeightPlace
    terms: tuple[Node, ...]
    own: tuple[Launch, ...]
    values: tuple[Buffer, ...]
    origin: Node
    flops: int
    pieces: int
    cut: int
    ahead: Ahead | None

    @property
    def by_lines(self) -> bool:
        return self.ahead is not None or not self.weight.panels

    @property
    def computes(self) -> bool:
        """Whether anything of its gradient is left to compute."""
        return bool(self.terms or self.own)

    @property
    def numbers(self) -> int:
        """Of one piece."""
        return self.cut * (self.weight.columns if self.by_lines else self.weight.lines)


@dataclass(frozen=True, slots=True)
class LateStep:
    """A sum over the batch that the values behind it are made of."""

    part: Part
    flops: int
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Chunks first .. first + chunks - 1: one weight cut into pieces, or several weights in one chunk."""

    first: int
    chunks: int
    steps: tuple[WeightStep | LateStep, ...]


def weight_steps(
    graph: Graph,
    found: Levels,
    weights: Mapping[str, WeightPlace],
    made: Stages,
    ahead: Mapping[str, Ahead],
    batch: int,
) -> list[WeightStep]:
    """The steps of all weights that have a gradient, in the train graph that `made` is planned of."""
    steps = []
    for path, values in found.terms.items():
        weight = weights[path]
        terms = tuple(graph[value] for value in values if value in found.direct)
        own = tuple(made.own[value] for value in values if value in found.own)
        ready = tuple(made.places[value] for value in values if value not in found.direct and value not in found.own)
        flops = sum(_flops(term, weight, batch) for term in terms) + weight.size * (len(own) + len(ready))
        cut = ahead[path].cut if path in ahead else _cut(weight, flops)
        pieces = -(-(weight.columns if weight.panels and path not in ahead else weight.lines) // cut)
        steps.append(WeightStep(weight, terms, own, ready, graph[values[0]], flops, pieces, cut, ahead.get(path)))
    return steps


def _flops(term: Node, weight: WeightPlace, batch: int) -> int:
    if term.op == "gather_gradient":
        return 4 * weight.size  # the table is cleared, and stepped
    return (2 if len(weight.shape) == 2 else 1) * weight.size * batch


def _cut(place: WeightPlace, flops: int) -> int:
    """Columns or lines of one chunk: as few as are worth one; all of them where none are. Columns come by 32 or 16, lines by
    16, the width of a panel."""
    if not place.panels:
        worth = -(-SMALL * place.lines // max(1, flops))
        return min(place.lines, -(-worth // PANEL) * PANEL)
    for columns in (PANEL, COLUMNS):
        if columns < place.columns and flops * columns // place.columns >= SMALL:
            return COLUMNS if place.columns > 4 * COLUMNS else columns
    return place.columns


def late_steps(parts: Sequence[Part], batch: int) -> list[LateStep]:
    """Their cost is guessed from what they make."""
    sizes = [max((launch.node.type.size for launch in part.launches), default=0) for part in parts]
    return [LateStep(part, 2 * size * batch) for part, size in zip(parts, sizes, strict=True)]


def grouped(steps: Sequence[WeightStep | LateStep]) -> list[Group]:
    """Cut weights alone, small ones together until they are worth a chunk."""
    groups: list[Group] = []
    pending: list[WeightStep | LateStep] = []

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
