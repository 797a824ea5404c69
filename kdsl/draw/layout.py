"""Places everything: each frame on its own, from the inside out, as rows of boxes with edges from row to row.

A frame is one box to what surrounds it. Edges that cross its border do so at ports, one for each value: in at the top, out
at the bottom. So frames contain their members and nothing else, and edges never run through a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdsl.draw.columns import Link, spread, straighten
from kdsl.draw.places import Box, Label, Plan, Way
from kdsl.draw.rows import arrange, rank
from kdsl.draw.scene import Card, Edge, Frame, Item, cards
from kdsl.draw.sizes import APART, CIRCLE, HEADER, LANE, MARGIN, PAD, SMALL, card_size, frame_width
from kdsl.draw.text import width

STUB = 16.0  # straight down beside the label, before an edge may bend
BESIDE = 12.0  # how far from a circle an edge comes down that meets it from the side


def lay_out(items: Sequence[Item], edges: Sequence[Edge]) -> Plan:
    """The whole picture, with a margin."""
    columns = [item for item in items if isinstance(item, Frame) and item.column]
    if columns:
        from kdsl.draw.two_columns import lay_out_columns

        inner = lay_out_columns(columns, edges)
    else:
        inner = Level(items, edges).plan()
    made = Plan(inner.width + 2 * MARGIN, inner.height + 2 * MARGIN)
    made.take(inner, MARGIN, MARGIN)
    return made


@dataclass(frozen=True, slots=True)
class _Step:
    """A piece of an edge between neighbouring rows: numbers of nodes, and the value."""

    upper: int
    lower: int
    value: str
    style: str


class Level:
    """The items of one frame while they are placed. Nodes are numbered: items, ports in, ports out, then the bends of
    edges that pass several rows."""

    def __init__(self, items: Sequence[Item], edges: Sequence[Edge], rows: Sequence[int] | None = None) -> None:
        """`rows`: where each item stands, if that is settled."""
        self.given = rows
        self.items = items
        owner = {card.id: number for number, item in enumerate(items) for card in cards(item)}
        self.inner = [_framed(item, edges) if isinstance(item, Frame) else None for item in items]
        self.enter: dict[str, int] = {}
        self.leave: dict[str, int] = {}
        own = [edge for edge in edges if edge.source in owner or edge.target in owner]
        for edge in own:
            if edge.source not in owner:
                self.enter.setdefault(edge.value, len(items) + len(self.enter))
        for edge in own:
            if edge.target not in owner:
                self.leave.setdefault(edge.value, len(items) + len(self.enter) + len(self.leave))
        self.flows: dict[tuple[str, int, int], Edge] = {}
        for edge in own:
            source = owner[edge.source] if edge.source in owner else self.enter[edge.value]
            target = owner[edge.target] if edge.target in owner else self.leave[edge.value]
            if source != target:
                self.flows.setdefault((edge.value, source, target), edge)
        self.count = len(items) + len(self.enter) + len(self.leave)
        self.sizes = [self._size(number) for number in range(self.count)]

    def _size(self, number: int) -> tuple[float, float]:
        if number >= len(self.items):
            return 0.0, 0.0
        item, inner = self.items[number], self.inner[number]
        return card_size(item) if isinstance(item, Card) else (inner.width, inner.height)  # type: ignore[union-attr]

    # -- rows ------------------------------------------------------------------------------------------------------

    def _rows(self, least: int = 1) -> None:
        pairs = list(dict.fromkeys((source, target) for _, source, target in self.flows))
        ends = frozenset(self.enter.values()), frozenset(self.leave.values())
        self.rank = list(self.given) if self.given is not None else rank(self.count, pairs, *ends)
        self.steps: list[_Step] = []
        rows: list[list[int]] = [[] for _ in range(max(least, max(self.rank, default=0) + 1))]
        for number in range(self.count):
            rows[self.rank[number]].append(number)
        bends: dict[tuple[str, int, int], int] = {}
        for (value, source, target), edge in self.flows.items():
            last = source
            for row in range(self.rank[source] + 1, self.rank[target]):
                key = (value, source, row)
                if key not in bends:
                    bends[key] = len(self.sizes)
                    self.sizes.append((0.0, 0.0))
                    rows[row].append(bends[key])
                    self.steps.append(_Step(last, bends[key], value, edge.style))
                last = bends[key]
            self.steps.append(_Step(last, target, value, edge.style))
        self.rows = arrange(rows, [(step.upper, step.lower) for step in self.steps])
        self.depth = [0] * len(self.sizes)  # length of the longest way that leads there
        self.deepest = [0] * len(self.sizes)  # of all from which something flows in
        leaving: dict[int, list[_Step]] = {}
        for step in self.steps:
            leaving.setdefault(step.upper, []).append(step)
        for node in (node for row in rows for node in row):
            for step in leaving.get(node, ()):
                self.depth[step.lower] = max(self.depth[step.lower], self.depth[node] + 1)
                self.deepest[step.lower] = max(self.deepest[step.lower], self.depth[node])

    # -- where edges meet boxes ------------------------------------------------------------------------------------

    def _ports(self) -> None:
        """For each step, how far from the middle of its boxes it begins and ends."""
        place = {node: number for row in self.rows for number, node in enumerate(row)}
        arriving: dict[int, list[_Step]] = {}
        for step in self.steps:
            arriving.setdefault(step.lower, []).append(step)
        self.at: dict[_Step, tuple[float, float]] = {}
        self.side: dict[_Step, int] = {}
        for step in self.steps:
            self.at[step] = (self._out(step.upper, step.value), 0.0)
        for node, steps in arriving.items():
            inner = self.inner[node] if node < len(self.items) else None
            steps.sort(key=lambda step: (place[step.upper], self.at[step][0]))
            space = min(24.0, self.sizes[node][0] / (len(steps) + 1))
            main = self._main(steps)
            for number, step in enumerate(steps):
                offset = space * (number - main)
                if inner is not None:
                    offset = inner.enter[step.value] - inner.width / 2
                elif self._round(node):
                    self.side[step] = (number > main) - (number < main)
                    offset = self.side[step] * (CIRCLE + BESIDE)
                self.at[step] = (self.at[step][0], offset)

    def _round(self, node: int) -> bool:
        item = self.items[node] if node < len(self.items) else None
        return isinstance(item, Card) and item.form == "circle"

    def _main(self, steps: Sequence[_Step]) -> float:
        """Which of the edges that come to a circle meets it from above: the middle one, or of two the one that has not
        come far; where both have, or neither, they meet it from both sides."""
        if len(steps) == 2:
            far = [step.upper >= self.count or self.depth[step.upper] < self.deepest[step.lower] - 2 for step in steps]
            return 0.5 if far[0] == far[1] else float(far[0])
        return float(len(steps) // 2)

    def _out(self, node: int, value: str) -> float:
        inner = self.inner[node] if node < len(self.items) else None
        return 0.0 if inner is None else inner.leave[value] - inner.width / 2

    # -- coordinates -----------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Everything, with rows as high as they need to be."""
        self.settle()
        self._heights()
        return self.filled()

    def settle(self, least: int = 1) -> None:
        """Rows, order and places from left to right. There are at least so many rows."""
        self._rows(least)
        self._ports()
        self.labels = self._labels()
        real = self.count
        left, right = [], []
        for node, (wide, _) in enumerate(self.sizes):
            half = wide / 2 + (APART / 2 if node < len(self.items) else LANE / 2)
            room = max((width(text, SMALL) + 12 + at for at, text in self.labels.get(node, ())), default=0.0)
            left.append(half)
            right.append(max(half, room))
        middle = spread(self.rows, links := self._links(), left, right)
        straighten(self.rows, links, left, right, middle)
        starts = [middle[n] - (left[n] if n >= real else self.sizes[n][0] / 2) for n in range(len(middle))]
        first = min(starts, default=0.0)
        self.middle = [x - first for x in middle]
        reach = [self.middle[n] + (right[n] - APART / 2 if n < real else 4.0) for n in range(len(middle))]
        self.width = max(reach, default=0.0)

    def _links(self) -> list[Link]:
        """The steps as `spread` takes them: long edges are straight, and so is the longest way that leads to a box."""
        links = []
        for step in self.steps:
            bends = (step.upper >= self.count) + (step.lower >= self.count)
            aside = 0.5 if self.depth[step.upper] < self.deepest[step.lower] and not bends else 1.0
            links.append(Link(step.upper, step.lower, *self.at[step], (3.0, 1.0, 8.0)[bends] * aside))
        return links

    def filled(self) -> Plan:
        """The finished plan, once rows have their heights."""
        made = Plan(self.width, self.bottom[-1] if self.bottom else 0.0)
        self._fill(made)
        return made

    def _labels(self) -> dict[int, list[tuple[float, str]]]:
        """Node -> (where its edge leaves, from its middle, and the type that flows there)."""
        found: dict[int, list[tuple[float, str]]] = {}
        leaving = set(self.leave.values())
        for (value, source, target), edge in self.flows.items():
            pair = (self._out(source, value), edge.label)
            shown = source < len(self.items) and target not in leaving and edge.label
            if shown and pair not in found.get(source, ()):
                found.setdefault(source, []).append(pair)
        return found

    def _heights(self) -> None:
        self.top, self.bottom = [], []
        y = 0.0
        for number in range(len(self.rows)):
            y += self.gap(number) if number else 0.0
            self.top.append(y)
            y += self.height_of(number)
            self.bottom.append(y)

    def height_of(self, number: int) -> float:
        """Of a row."""
        return max((self.sizes[node][1] for node in self.rows[number]), default=0.0)

    def gap(self, number: int) -> float:
        """Between a row and the one above it: room for labels, arrows and bends."""
        upper, lower = set(self.rows[number - 1]), set(self.rows[number])
        steps = [step for step in self.steps if step.lower in lower]
        over = max((abs(self._from(step) - self._to(step)) for step in steps if step not in self.side), default=0.0)
        items = len(self.items)
        plain = all(node >= items for node in upper) or all(node >= items for node in lower)
        labelled = any(node in self.labels for node in upper)
        base = 16.0 if plain else 38.0 if labelled else 28.0
        return base + min(36.0, 0.1 * over) + (8.0 if labelled and over > 1 else 0.0)

    def _from(self, step: _Step) -> float:
        return self.middle[step.upper] + self.at[step][0]

    def _to(self, step: _Step) -> float:
        return self.middle[step.lower] + self.at[step][1]

    def _fill(self, made: Plan) -> None:
        row_of = self.row_of = {node: number for number, row in enumerate(self.rows) for node in row}
        tops = {}
        for node, number in row_of.items():
            height = self.sizes[node][1]
            spare = self.bottom[number] - self.top[number] - height
            lone = node < len(self.items) and not self.depth[node] and self.inner[node] is None  # near what reads it
            tops[node] = self.top[number] + (spare if lone else spare / 2 if node < self.count else 0.0)
        for number, item in enumerate(self.items):
            wide, high = self.sizes[number]
            x = self.middle[number] - wide / 2
            made.boxes[item.id] = Box(x, tops[number], wide, high)
            inner = self.inner[number]
            if inner is not None:
                made.take(inner, x, tops[number])
        for step in self.steps:
            made.ways.append(self._way(step, row_of, tops, STUB if step.upper in self.labels else 0.0))
        self._write_labels(made, tops)
        made.enter = {value: self.middle[node] for value, node in self.enter.items()}
        made.leave = {value: self.middle[node] for value, node in self.leave.items()}

    def _way(self, step: _Step, row_of: dict[int, int], tops: dict[int, float], stub: float) -> Way:
        number = row_of[step.upper]
        x1, y1 = self._from(step), tops[step.upper] + self.sizes[step.upper][1]
        x2, y2 = self._to(step), tops[step.lower]
        bend, unbend = self.bottom[number] + stub, self.top[number + 1]
        side = self.side.get(step, 0)
        if side:
            x2 = self.middle[step.lower]
            if self._clear(step, x1):
                return Way(x1, y1, bend, unbend, x2 + side * CIRCLE, y2 + CIRCLE, step.style, True, side)
            across = CIRCLE / 2
            x2, y2 = x2 + side * across, y2 + CIRCLE - (CIRCLE**2 - across**2) ** 0.5
        return Way(x1, y1, bend, unbend, x2, y2, step.style, step.lower < len(self.items))

    def _clear(self, step: _Step, x: float) -> bool:
        """Whether an edge can come down at `x` beside the circle, with nothing in its row between them."""
        row = self.rows[self.row_of[step.lower]]
        at, side = self.middle[step.lower], self.side[step]
        if (x - at) * side < CIRCLE + BESIDE / 2:
            return False
        low, high = min(x, at), max(x, at)
        others = [node for node in row if node != step.lower]
        return all(
            self.middle[n] + self.sizes[n][0] / 2 + 4 < low or self.middle[n] - self.sizes[n][0] / 2 - 4 > high
            for n in others
        )

    def _write_labels(self, made: Plan, tops: dict[int, float]) -> None:
        """Beside the beginning of the edge, on the side where no branch of it bends away."""
        for node, pairs in self.labels.items():
            for at, text in pairs:
                x, y = self.middle[node] + at, tops[node] + self.sizes[node][1] + 14
                over = [self._to(s) - x for s in self.steps if s.upper == node and abs(self.at[s][0] - at) < 0.1]
                left = any(each > 4 for each in over) and not any(each < -4 for each in over)
                made.labels.append(Label(x - 6 if left else x + 6, y, text, left))


def _framed(frame: Frame, edges: Sequence[Edge]) -> Plan:
    """A frame and all that is in it."""
    inner = Level(frame.items, edges).plan()
    wide = max(inner.width + 2 * PAD, frame_width(frame))
    made = Plan(wide, HEADER + inner.height + PAD)
    dx = (wide - inner.width) / 2
    dy = HEADER + (0.0 if inner.enter else PAD)
    made.height += dy - HEADER - (PAD if inner.leave else 0.0)
    made.take(inner, dx, dy)
    made.enter = {value: x + dx for value, x in inner.enter.items()}
    made.leave = {value: x + dx for value, x in inner.leave.items()}
    return made
