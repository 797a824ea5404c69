"""Where the boxes of every row stand from left to right, so that edges are straight.

Each row in turn is moved to where its neighbours want it, down and up again: the sum of the distances of the edges' ends,
by weight, is made as small as the order and the room between boxes allow. That is isotonic regression with medians.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = 10
MANY = 1500  # links: fewer rounds must do


@dataclass(frozen=True, slots=True)
class Link:
    """Joins a box of one row with one of the next: where, from the boxes' middles, and how straight it should be."""

    upper: int
    lower: int
    upper_at: float
    lower_at: float
    weight: float


def spread(
    rows: Sequence[Sequence[int]], links: Sequence[Link], left: Sequence[float], right: Sequence[float]
) -> list[float]:
    """The middle of each box. `left` and `right` are how far it reaches from there, room to its neighbours included."""
    places = [0.0] * len(left)
    for row in rows:
        at = 0.0
        for box in row:
            places[box] = at + left[box]
            at += left[box] + right[box]
        for box in row:
            places[box] -= at / 2
    up: dict[int, list[Link]] = defaultdict(list)
    down: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        up[link.lower].append(link)
        down[link.upper].append(link)
    for round in range(ROUNDS if len(links) < MANY else 4):
        for row in rows[1:]:
            _settle(row, up, down if round > 1 else {}, places, left, right)
        for row in reversed(rows[:-1]):
            _settle(row, up if round > 1 else {}, down, places, left, right)
    for row in rows:
        _settle(row, up, down, places, left, right)
    return places


def _settle(
    row: Sequence[int],
    up: dict[int, list[Link]],
    down: dict[int, list[Link]],
    places: list[float],
    left: Sequence[float],
    right: Sequence[float],
) -> None:
    shift = 0.0
    wanted: list[tuple[float, float]] = []
    shifts: list[float] = []
    for number, box in enumerate(row):
        if number:
            shift += right[row[number - 1]] + left[box]
        shifts.append(shift)
        wishes = [(places[k.upper] + k.upper_at - k.lower_at, k.weight) for k in up.get(box, ())]
        wishes += [(places[k.lower] + k.lower_at - k.upper_at, k.weight) for k in down.get(box, ())]
        middle = median(wishes) if wishes else places[box]
        wanted.append((middle - shift, sum(weight for _, weight in wishes) or 0.1))
    for box, place, moved in zip(row, isotonic(wanted), shifts, strict=True):
        places[box] = place + moved


def median(values: list[tuple[float, float]]) -> float:
    """Of (value, weight) pairs; the middle between two that are equally good."""
    values = sorted(values)
    half, seen = sum(weight for _, weight in values) / 2, 0.0
    for number, (value, weight) in enumerate(values):
        seen += weight
        if abs(seen - half) < 1e-9 and number + 1 < len(values):
            return (value + values[number + 1][0]) / 2
        if seen > half:
            return value
    return values[-1][0]


def isotonic(wanted: Sequence[tuple[float, float]]) -> list[float]:
    """The growing sequence that is closest to (value, weight) pairs."""
    pools: list[list[tuple[float, float]]] = []
    levels: list[float] = []
    for pair in wanted:
        pools.append([pair])
        levels.append(pair[0])
        while len(levels) > 1 and levels[-2] > levels[-1]:
            last = pools.pop()
            pools[-1] += last
            levels.pop()
            levels[-1] = median(pools[-1])
    return [level for level, pool in zip(levels, pools, strict=True) for _ in pool]


BEND = 6.0  # what a bend costs, as if it were so much longer


def straighten(
    rows: Sequence[Sequence[int]],
    links: Sequence[Link],
    left: Sequence[float],
    right: Sequence[float],
    places: list[float],
) -> None:
    """Moves whole columns: boxes that straight edges join move as one, where that saves length or bends."""
    beside: dict[int, tuple[int | None, int | None]] = {}
    for row in rows:
        for number, box in enumerate(row):
            after = row[number + 1] if number + 1 < len(row) else None
            beside[box] = (row[number - 1] if number else None, after)
    touching: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        touching[link.upper].append(link)
        touching[link.lower].append(link)

    def off(link: Link) -> float:
        return places[link.upper] + link.upper_at - places[link.lower] - link.lower_at

    def column(start: int, other: int) -> set[int] | None:
        """What straight edges join with `start`; None where `other` is part of it."""
        found, to_do = {start}, [start]
        while to_do:
            for link in touching[to_do.pop()]:
                for end in (link.upper, link.lower):
                    if end not in found and abs(off(link)) < 0.01:
                        if end == other:
                            return None
                        found.add(end)
                        to_do.append(end)
        return found

    def as_far(boxes: set[int], by: float) -> float:
        """How much of `by` these boxes can move without meeting their neighbours."""
        least = abs(by)
        for box in boxes:
            before, after = beside[box]
            if by < 0 and before is not None and before not in boxes:
                least = min(least, places[box] - left[box] - places[before] - right[before])
            elif by > 0 and after is not None and after not in boxes:
                least = min(least, places[after] - left[after] - places[box] - right[box])
        return max(0.0, least) * (1 if by > 0 else -1)

    def cost(value: float, weight: float) -> float:
        return weight * (abs(value) + (BEND if abs(value) > 0.01 else 0.0))

    for _ in range(6 if len(links) < MANY else 1):
        changed = False
        for link in sorted(links, key=lambda each: -each.weight):
            value = off(link)
            if abs(value) < 0.01:
                continue
            for start, other, by in ((link.lower, link.upper, value), (link.upper, link.lower, -value)):
                boxes = column(start, other)
                if boxes is None:
                    continue
                by = as_far(boxes, by)
                saved = 0.0
                for each in {id(k): k for box in boxes for k in touching[box]}.values():
                    if (each.upper in boxes) != (each.lower in boxes):
                        moved = off(each) + (by if each.upper in boxes else -by)
                        saved += cost(off(each), each.weight) - cost(moved, each.weight)
                if saved > 0.01:
                    for box in boxes:
                        places[box] += by
                    changed = True
                    break
        if not changed:
            return
