"""Places frames that stand side by side and share their rows: forward from top to bottom, backward from bottom to top,
each gradient beside what it is the gradient of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kdsl.draw.layout import Level
from kdsl.draw.places import Across, Box, Label, Plan, Way
from kdsl.draw.rows import rank
from kdsl.draw.scene import Card, Edge, Frame, cards
from kdsl.draw.sizes import HEADER, PAD, frame_width

BETWEEN = 90.0  # the columns


def lay_out_columns(columns: Sequence[Frame], edges: Sequence[Edge]) -> Plan:
    """One column, or two."""
    own = [_between(column, column, edges) for column in columns]
    rows = [_ranks(columns[0], own[0])]
    if len(columns) > 1:
        turned = _ranks(columns[1], own[1])
        last = max(turned, default=0)
        rows[0] = _stretched(columns, own[0], rows[0], [last - row for row in turned])
        rows.append(_backward_rows(columns, own[1], rows[0]))
    least = min(min(each, default=0) for each in rows)
    rows = [[row - least for row in each] for each in rows]
    last = max(max(each, default=0) for each in rows)
    levels = [Level(columns[0].items, own[0], rows[0])]
    if len(columns) > 1:
        levels.append(Level(columns[1].items, own[1], [last - row for row in rows[1]]))
    for level in levels:
        level.settle(last + 1)
    total = _share_rows(levels, last)
    made = Plan(0.0, HEADER + PAD + total + PAD)
    for number, (column, level) in enumerate(zip(columns, levels, strict=True)):
        inner = level.filled()
        inner = _mirrored(inner, total) if number else inner
        wide = max(inner.width + 2 * PAD, frame_width(column))
        x = made.width + (BETWEEN if number else 0.0)
        made.boxes[column.id] = Box(x, 0.0, wide, made.height)
        made.take(inner, x + (wide - inner.width) / 2, HEADER + PAD)
        made.width = x + wide
    made.across += _across(columns, edges, made)
    return made


def _between(first: Frame, second: Frame, edges: Sequence[Edge]) -> list[Edge]:
    sources, targets = ({card.id for card in cards(frame)} for frame in (first, second))
    return [edge for edge in edges if edge.source in sources and edge.target in targets]


def _numbers(frame: Frame) -> dict[str, int]:
    return {item.id: number for number, item in enumerate(frame.items)}


def _ranks(column: Frame, edges: Sequence[Edge]) -> list[int]:
    number = _numbers(column)
    pairs = list(dict.fromkeys((number[edge.source], number[edge.target]) for edge in edges))
    return rank(len(column.items), pairs, frozenset(), frozenset())


def _stretched(columns: Sequence[Frame], edges: Sequence[Edge], rows: list[int], backward: Sequence[int]) -> list[int]:
    """The forward column with room for a backward one that has more rows: no layer above its gradients."""
    beside: dict[str, int] = {}
    for item, row in zip(columns[1].items, backward, strict=True):
        for layer in _layers(item):
            beside[layer] = max(beside.get(layer, 0), row)
    number = _numbers(columns[0])
    made = [
        max([row, *(beside[layer] for layer in _layers(item) if layer in beside)])
        for item, row in zip(columns[0].items, rows, strict=True)
    ]
    for edge in edges:  # in the order of the graph
        target = number[edge.target]
        made[target] = max(made[target], made[number[edge.source]] + 1)
    first = {number[edge.source] for edge in edges} - {number[edge.target] for edge in edges}
    for source in first:  # what only flows out stands right above what reads it
        made[source] = min(made[number[edge.target]] for edge in edges if number[edge.source] == source) - 1
    return made


def _backward_rows(columns: Sequence[Frame], edges: Sequence[Edge], forward: Sequence[int]) -> list[int]:
    """Above all that it reads, and not below the forward part of its layer. Rows may be negative."""
    beside: dict[str, int] = {}
    for item, row in zip(columns[0].items, forward, strict=True):
        for layer in _layers(item):
            beside[layer] = max(beside.get(layer, 0), row)
    number = _numbers(columns[1])
    last = max(forward, default=0)
    rows = [
        min((beside[layer] for layer in _layers(item) if layer in beside), default=last) for item in columns[1].items
    ]
    for edge in edges:  # in the order of the graph: what is read stands before its readers
        target = number[edge.target]
        rows[target] = min(rows[target], rows[number[edge.source]] - 1)
    return rows


def _layers(item: object) -> list[str]:
    return [part.tip[0] for part in item.parts if part.tip] if isinstance(item, Card) else []


def _share_rows(levels: Sequence[Level], last: int) -> float:
    """Gives both columns the same rows -> height of them all."""
    y = 0.0
    tops, bottoms = [], []
    for row in range(last + 1):
        turned = last - row
        if row:
            gaps = [levels[0].gap(row), *(level.gap(turned + 1) for level in levels[1:])]
            y += max(gaps)
        tops.append(y)
        y += max(levels[0].height_of(row), *(level.height_of(turned) for level in levels[1:]), 0.0)
        bottoms.append(y)
    levels[0].top, levels[0].bottom = tops, bottoms
    for level in levels[1:]:
        level.top = [y - bottom for bottom in reversed(bottoms)]
        level.bottom = [y - top for top in reversed(tops)]
    return y


def _mirrored(plan: Plan, total: float) -> Plan:
    """Top and bottom exchanged."""
    made = Plan(plan.width, total)
    made.boxes = {name: Box(b.x, total - b.y - b.height, b.width, b.height) for name, b in plan.boxes.items()}
    made.ways = [
        Way(w.x1, total - w.y1, total - w.bend, total - w.unbend, w.x2, total - w.y2, w.style, w.arrow, w.side)
        for w in plan.ways
    ]
    made.labels = [Label(each.x, total - each.y + 8, each.text, each.end) for each in plan.labels]
    return made


def _across(columns: Sequence[Frame], edges: Sequence[Edge], plan: Plan) -> list[Across]:
    """What the backward pass reads of the forward one, from column to column."""
    found = []
    for first, second in pairwise(columns):
        for edge in _between(first, second, edges):
            a, b = plan.boxes[edge.source], plan.boxes[edge.target]
            found.append(Across(a.x + a.width, a.y + a.height / 2, b.x, b.y + b.height / 2, edge.style))
    return found
