"""Where everything lies in the one array of a model: vectors of zeros and ones, constants, weights, optimizer states, copies
of weights, values without rows; behind them the threads' scratch, the values of a batch and the blocks' shares of sums, whose
sizes are known when the model runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from kdsl.plan.launch import Buffer, Stages
from kdsl.plan.layout import PANEL, padded


@dataclass(frozen=True, slots=True)
class WeightPlace:
    """A weight: `constant` is the name of its offset. A matrix that only products read lies in panels of 16 columns,
    [units / 16][inputs][16]; anything else in lines of its last axis."""

    path: str
    constant: str
    offset: int
    shape: tuple[int, ...]
    panels: bool

    @property
    def columns(self) -> int:
        """Numbers of one line, padding included."""
        return padded(self.shape[-1]) if self.shape else PANEL

    @property
    def lines(self) -> int:
        return prod(self.shape[:-1])

    @property
    def size(self) -> int:
        return self.lines * self.columns


@dataclass(slots=True)
class MemoryMap:
    """Offsets of all that does not depend on the batch, in numbers.

    weights      those that are trained first: `weight_numbers` in all, and as many of each optimizer state
    panels       path -> copy in panels of a weight that lies in lines; `transposed` -> of its transpose in panels
    values       values without rows, of the function that runs
    """

    widest: int
    weights: dict[str, WeightPlace] = field(default_factory=dict)
    constants: list[tuple[str, int, tuple[float, ...]]] = field(default_factory=list)
    panels: dict[str, int] = field(default_factory=dict)
    transposed: dict[str, int] = field(default_factory=dict)
    first_weight: int = 0
    weight_numbers: int = 0
    slots: tuple[str, ...] = ()
    gradients: int | None = None
    values: int = 0
    fixed: int = 0

    @property
    def ones(self) -> int:
        return self.widest


def place_buffers(made: Stages, reuse: bool) -> None:
    """Gives every buffer its offset: values of the batch, blocks' shares and values without rows one after the other; those of
    a block share scratch as their lives allow."""
    placed: dict[int, list[Buffer]] = {}
    made.kept = made.partial = made.fixed = 0
    for part in made.rows:
        part.scratch = 0
    for buffer in made.buffers.values():
        size = buffer.layout.row
        if buffer.home == "kept":
            buffer.offset, made.kept = made.kept, made.kept + size
        elif buffer.home == "partial":
            buffer.offset, made.partial = made.partial, made.partial + size
        elif buffer.home == "fixed":
            buffer.offset, made.fixed = made.fixed, made.fixed + size
        elif buffer.part is not None:
            others = placed.setdefault(id(buffer.part), [])
            living = [b for b in others if not reuse or (b.first <= buffer.last and buffer.first <= b.last)]
            buffer.offset = _gap(living, size)
            others.append(buffer)
            buffer.part.scratch = max(buffer.part.scratch, buffer.offset + size)


def _gap(living: list[Buffer], size: int) -> int:
    """The first place where `size` numbers fit between buffers that are in use."""
    offset = 0
    for other in sorted(living, key=lambda b: b.offset):
        if other.offset - offset >= size:
            break
        offset = max(offset, other.offset + other.layout.row)
    return offset


@dataclass(frozen=True, slots=True)
class WeightNeeds:
    """What the functions of a model ask of a weight's place."""

    path: str
    constant: str
    shape: tuple[int, ...]
    trained: bool
    panels: bool


def map_memory(
    weights: Iterable[WeightNeeds],
    constants: Iterable[tuple[str, tuple[float, ...]]],
    panels: Iterable[str],
    transposed: Iterable[str],
    slots: tuple[str, ...],
    widest: int,
    values: int,
    keeps_gradients: bool,
) -> MemoryMap:
    """`panels` and `transposed` are weights with copies, `values` the numbers without rows that a function computes."""
    made = MemoryMap(widest=padded(max(widest, 2 * PANEL)), slots=slots)
    at = 2 * made.widest
    for name, numbers in constants:
        made.constants.append((name, at, numbers))
        at += padded(len(numbers))
    made.first_weight = at
    known = list(weights)

    def place(needs: WeightNeeds) -> int:
        made.weights[needs.path] = found = WeightPlace(needs.path, needs.constant, at, needs.shape, needs.panels)
        return found.size

    for needs in known:
        at += place(needs) if needs.trained else 0
    made.weight_numbers = at - made.first_weight
    at += len(slots) * made.weight_numbers
    for needs in known:
        at += 0 if needs.trained else place(needs)
    for path in panels:
        made.panels[path] = at
        at += made.weights[path].shape[0] * made.weights[path].columns
    for path in transposed:
        made.transposed[path] = at
        at += padded(made.weights[path].shape[0]) * made.weights[path].columns
    if keeps_gradients:
        made.gradients = at
        at += made.weight_numbers
    made.values = at
    made.fixed = at + values
    return made
