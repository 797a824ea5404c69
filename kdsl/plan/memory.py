"""Where everything lies in the one array of a model: vectors of zeros and ones, constants, weights, optimizer states,
transposed copies; behind them the threads' scratch and the values of a batch, whose size is known when the model runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from kdsl.plan.launch import Buffer, RowFunction
from kdsl.plan.layout import PANEL, padded


@dataclass(frozen=True, slots=True)
class WeightPlace:
    """A weight: `constant` is the name of its offset. A matrix lies in panels of 16 columns, [units / 16][inputs][16];
    anything else is one line."""

    path: str
    constant: str
    offset: int
    shape: tuple[int, ...]

    @property
    def matrix(self) -> bool:
        return len(self.shape) == 2

    @property
    def columns(self) -> int:
        """Numbers of one line, padding included."""
        return padded(self.shape[1]) if self.matrix else padded(prod(self.shape))

    @property
    def lines(self) -> int:
        return self.shape[0] if self.matrix else 1

    @property
    def size(self) -> int:
        return self.lines * self.columns


@dataclass(slots=True)
class MemoryMap:
    """Offsets of all that does not depend on the batch, in numbers."""

    widest: int
    weights: dict[str, WeightPlace] = field(default_factory=dict)
    constants: list[tuple[str, int, tuple[float, ...]]] = field(default_factory=list)
    transposed: dict[str, int] = field(default_factory=dict)
    first_weight: int = 0
    weight_numbers: int = 0
    slots: tuple[str, ...] = ()
    gradients: int | None = None
    fixed: int = 0

    @property
    def ones(self) -> int:
        return self.widest


def share_scratch(function: RowFunction, kept: Iterable[str], reuse: bool) -> None:
    """Gives every buffer its offset: kept values one after the other; the others share scratch as their lives allow."""
    keep = set(kept)
    placed: list[Buffer] = []
    function.kept = function.scratch = 0
    for buffer in function.buffers.values():
        if buffer.name in keep:
            buffer.kept, buffer.offset = True, function.kept
            function.kept += buffer.layout.row
            continue
        living = [b for b in placed if not reuse or (b.first <= buffer.last and buffer.first <= b.last)]
        buffer.offset = _gap(living, buffer.layout.row)
        placed.append(buffer)
        function.scratch = max(function.scratch, buffer.offset + buffer.layout.row)


def _gap(living: list[Buffer], size: int) -> int:
    """The first place where `size` numbers fit between buffers that are in use."""
    offset = 0
    for other in sorted(living, key=lambda b: b.offset):
        if other.offset - offset >= size:
            break
        offset = max(offset, other.offset + other.layout.row)
    return offset


def map_memory(
    weights: Iterable[tuple[str, str, tuple[int, ...]]],
    constants: Iterable[tuple[str, tuple[float, ...]]],
    transposed: Iterable[str],
    slots: tuple[str, ...],
    widest: int,
    keeps_gradients: bool,
) -> MemoryMap:
    """`weights` are (path, name of the constant, shape)."""
    made = MemoryMap(widest=padded(max(widest, 2 * PANEL)), slots=slots)
    at = 2 * made.widest
    for name, values in constants:
        made.constants.append((name, at, values))
        at += padded(len(values))
    made.first_weight = at
    for path, constant, shape in weights:
        made.weights[path] = WeightPlace(path, constant, at, shape)
        at += made.weights[path].size
    made.weight_numbers = at - made.first_weight
    at += len(slots) * made.weight_numbers
    for path in transposed:
        made.transposed[path] = at
        at += padded(made.weights[path].shape[0]) * made.weights[path].columns
    if keeps_gradients:
        made.gradients = at
        at += made.weight_numbers
    made.fixed = at
    return made
