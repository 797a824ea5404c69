"""Which row a box stands in, and the order of the boxes in each row: layering and crossing reduction (Sugiyama 1981).

Boxes are numbered. An edge is (source, target); sources come before targets, so there are no circles.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

SWEEPS = 12
MANY = 1500  # edges: fewer sweeps must do
MOVED = 40  # boxes that are moved together
Pair = tuple[int, int]


def rank(count: int, edges: Sequence[Pair], first: frozenset[int], last: frozenset[int]) -> list[int]:
    """Row of each box: below all that it reads, edges short. `first` stand in row 0, `last` below all others."""
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    order = _topological(count, above, below)
    rows = [0] * count
    for box in order:
        rows[box] = max((rows[b] + 1 for b in above[box]), default=0 if box in first or not first else 1)
    for box in last:
        rows[box] = max(rows)
    if last and any(rows[box] == max(rows) for box in range(count) if box not in last):
        for box in last:
            rows[box] += 1
    for _ in range(4):  # a box moves to where its edges are shortest, as far as its neighbours let it
        for box in (*reversed(order), *order):
            if box in first or box in last:
                continue
            low = max((rows[b] + 1 for b in above[box]), default=1 if first else 0)
            high = min((rows[b] - 1 for b in below[box]), default=rows[box])
            pull = len(below[box]) - len(above[box])
            rows[box] = high if pull > 0 else low if pull < 0 else max(low, min(rows[box], high))
    for box in reversed(order):
        _sink(box, rows, above, below, first)
    used = {row: number for number, row in enumerate(sorted(set(rows)))}
    return [used[row] for row in rows]


def _sink(
    box: int, rows: list[int], above: Mapping[int, list[int]], below: Mapping[int, list[int]], first: frozenset[int]
) -> None:
    """A box moves down with all that only it depends on, as far as what reads them lets it."""
    moving, left = {box}, [box]
    while left:
        for source in above[left.pop()]:
            if source not in moving:
                moving.add(source)
                left.append(source)
    if len(moving) > MOVED or moving & first:
        return
    slack = [rows[target] - rows[each] - 1 for each in moving for target in below[each] if target not in moving]
    for each in moving if slack else ():
        rows[each] += min(slack)


def _topological(count: int, above: Mapping[int, list[int]], below: Mapping[int, list[int]]) -> list[int]:
    left = [len(above[box]) for box in range(count)]
    ready = [box for box in range(count) if not left[box]]
    order: list[int] = []
    for box in ready:
        order.append(box)
        for target in below[box]:
            left[target] -= 1
            if not left[target]:
                ready.append(target)
    if len(order) < count:
        raise ValueError("values flow in a circle")
    return order


def arrange(rows: Sequence[Sequence[int]], edges: Sequence[Pair]) -> list[list[int]]:
    """The boxes of each row from left to right, so that few edges cross. Every edge joins neighbouring rows."""
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    now = [list(row) for row in rows]
    best, fewest = now, crossings(now, below)
    for sweep in range(SWEEPS if len(edges) < MANY else 3):
        if not fewest:
            break
        down = sweep % 2 == 0
        now = [list(row) for row in now]
        for number in range(1, len(now)) if down else range(len(now) - 2, -1, -1):
            fixed, near = (now[number - 1], above) if down else (now[number + 1], below)
            _by_barycentre(now[number], fixed, near)
        for upper, row in pairwise(now):
            _transpose(row, upper, above)
        found = crossings(now, below)
        if found < fewest:
            best, fewest = now, found
    return best


def _by_barycentre(row: list[int], fixed: Sequence[int], near: Mapping[int, list[int]]) -> None:
    """Sorted by where the neighbours stand; what has none keeps its place."""
    place = {box: number for number, box in enumerate(fixed)}
    keys = {}
    for number, box in enumerate(row):
        places = [place[b] for b in near[box]]
        keys[box] = sum(places) / len(places) if places else number * max(1, len(fixed)) / max(1, len(row))
    row.sort(key=lambda box: keys[box])


def _transpose(row: list[int], upper: Sequence[int], above: Mapping[int, list[int]]) -> None:
    """Neighbours change places where that saves crossings."""
    place = {box: number for number, box in enumerate(upper)}
    for number in range(len(row) - 1):
        a, b = ([place[each] for each in above[box]] for box in (row[number], row[number + 1]))
        crossed = sum(x > y for x in a for y in b)
        if crossed > sum(y > x for x in a for y in b):
            row[number], row[number + 1] = row[number + 1], row[number]


def crossings(rows: Sequence[Sequence[int]], below: Mapping[int, list[int]]) -> int:
    """How often edges between neighbouring rows cross."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {box: number for number, box in enumerate(lower)}
        ends = [sorted(place[b] for b in below[box] if b in place) for box in upper]
        seen: list[int] = []
        for targets in ends:
            total += sum(len(seen) - bisect_right(seen, target) for target in targets)
            for target in targets:
                insort(seen, target)
    return total
