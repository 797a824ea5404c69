"""Where things lie in a finished drawing: boxes, ways of edges, labels."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Box:
    """Where a card or a frame lies."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Box:
        return Box(self.x + dx, self.y + dy, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Way:
    """Part of an edge: down from (x1, y1) to `bend`, over to x2 until `unbend`, down to y2. `arrow`: it ends at a box;
    `side`: it meets that box not from above, but from the right (1) or the left (-1)."""

    x1: float
    y1: float
    bend: float
    unbend: float
    x2: float
    y2: float
    style: str
    arrow: bool
    side: int = 0

    def moved(self, dx: float, dy: float) -> Way:
        y1, bend, unbend, y2 = (y + dy for y in (self.y1, self.bend, self.unbend, self.y2))
        return Way(self.x1 + dx, y1, bend, unbend, self.x2 + dx, y2, self.style, self.arrow, self.side)


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str
    end: bool  # x is where it ends, not where it begins

    def moved(self, dx: float, dy: float) -> Label:
        return Label(self.x + dx, self.y + dy, self.text, self.end)


@dataclass(frozen=True, slots=True)
class Across:
    """An edge from column to column, from the right side of a box to the left side of another; it runs behind boxes."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str

    def moved(self, dx: float, dy: float) -> Across:
        return Across(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy, self.style)


@dataclass
class Plan:
    """A finished drawing, or what lies in a frame. `enter` and `leave` are the ports: value -> x."""

    width: float = 0.0
    height: float = 0.0
    boxes: dict[str, Box] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    across: list[Across] = field(default_factory=list)
    enter: dict[str, float] = field(default_factory=dict)
    leave: dict[str, float] = field(default_factory=dict)

    def take(self, other: Plan, dx: float, dy: float) -> None:
        """All that `other` has, at a place in this plan."""
        self.boxes |= {name: box.moved(dx, dy) for name, box in other.boxes.items()}
        self.ways += [way.moved(dx, dy) for way in other.ways]
        self.labels += [label.moved(dx, dy) for label in other.labels]
        self.across += [each.moved(dx, dy) for each in other.across]
