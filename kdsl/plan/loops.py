"""Loop nests, as they are described: out[..] = f(operands[..]), or a reduction of it, whatever lines the operands lie in.

A nest has axes and, for each operand and the result, the distance between neighbours along each of them: 0 repeats, so that
broadcasting, transposing and cutting out are all the same thing. Axes that lie without a gap everywhere become one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from kdsl.graph.graph import Node

Reduction = Literal["sum", "mean", "max", "min", "argmax", "argmin"]


@dataclass(frozen=True, slots=True)
class Axis:
    """`size` is a text where it is known only when the step runs (`count`); a reduced axis is missing in the result."""

    size: int | str
    reduced: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Numbers in memory as a nest sees them: the place of the first one, and the distances along the nest's axes."""

    at: str
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """An operand. With an `index`, the numbers found there choose a place along one more axis, `limit` long, whose
    neighbours are `step` apart. Without an access it is the place along the last axis: 0, 1, 2 ..."""

    value: str
    access: Access | None
    index: Access | None = None
    limit: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Nest:
    """What is computed.

    body       elementwise nodes; none copies the one operand
    numbers    (value, text) of operands that are one number for all; `constants` those known when compiled
    tail       how many zeros are written behind each line of the result; None: as many as the line's padding has
    elements   the number of each element in the unpadded array, which random numbers are made of
    """

    axes: tuple[Axis, ...]
    reads: tuple[Read, ...]
    out: Access
    body: tuple[Node, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict[str, float])
    reduction: Reduction | None = None
    tail: int | None = None
    elements: Access | None = None


def _accesses(nest: Nest) -> list[Access]:
    reads = [a for read in nest.reads for a in (read.access, read.index) if a is not None]
    return [*reads, *([nest.elements] if nest.elements else []), nest.out]


def _with_axes(nest: Nest, axes: Sequence[Axis], columns: Sequence[Sequence[int]]) -> Nest:
    """The nest over other axes: `columns` are the accesses' distances along each, in the order of `_accesses`."""
    moved = iter([replace(a, strides=tuple(c[n] for c in columns)) for n, a in enumerate(_accesses(nest))])
    reads = []
    for read in nest.reads:
        access = next(moved) if read.access is not None else None
        index = next(moved) if read.index is not None else None
        reads.append(replace(read, access=access, index=index))
    elements = next(moved) if nest.elements else None
    return replace(nest, axes=tuple(axes), reads=tuple(reads), elements=elements, out=next(moved))


def _columns(nest: Nest) -> list[list[int]]:
    return [[a.strides[n] for a in _accesses(nest)] for n in range(len(nest.axes))]


def simplified(nest: Nest) -> Nest:
    """Kept axes before reduced ones, without axes of one element, neighbours without a gap as one axis."""
    pairs = list(zip(nest.axes, _columns(nest), strict=True))
    kept = [pair for pair in pairs if not pair[0].reduced]
    numbered = [kept.pop()] if any(read.access is None for read in nest.reads) else []  # its places are an operand
    found = [*merged(kept), *numbered, *merged([pair for pair in pairs if pair[0].reduced])]
    return _with_axes(nest, [axis for axis, _ in found], [column for _, column in found])


def merged(pairs: Sequence[tuple[Axis, list[int]]]) -> list[tuple[Axis, list[int]]]:
    """(axis, distances along it) pairs without axes of one element, neighbours without a gap as one."""
    found: list[tuple[Axis, list[int]]] = []
    for axis, column in pairs:
        if axis.size == 1:
            continue
        if found and isinstance(axis.size, int):
            outer, strides = found[-1]
            if all(a == b * axis.size for a, b in zip(strides, column, strict=True)):
                size = outer.size * axis.size if isinstance(outer.size, int) else f"{outer.size} * {axis.size}"
                found[-1] = (replace(axis, size=size), column)
                continue
        found.append((axis, column))
    return found


def with_line(nest: Nest) -> Nest:
    """The nest with a last kept axis along which the result has no gaps: if need be, one of a single element."""
    kept = sum(not axis.reduced for axis in nest.axes)
    if kept and nest.out.strides[kept - 1] == 1:
        return nest
    columns, single = _columns(nest), [*[0] * (len(_accesses(nest)) - 1), 1]
    axes = [*nest.axes[:kept], Axis(1), *nest.axes[kept:]]
    return _with_axes(nest, axes, [*columns[:kept], single, *columns[kept:]])


def across_axis(nest: Nest) -> int | None:
    """The axis to sum along, lane by lane: a reduced one without gaps in an operand, or in the numbers of the elements."""
    if nest.reduction in ("argmax", "argmin"):
        return None
    accesses = [
        *(read.access for read in nest.reads if read.access is not None),
        *([nest.elements] if nest.elements else []),
    ]
    for n in range(len(nest.axes) - 1, -1, -1):
        if nest.axes[n].reduced and any(access.strides[n] == 1 for access in accesses):
            return n
    return None
