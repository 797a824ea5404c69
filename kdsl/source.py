"""A source text, and places in it. Every value the compiler makes carries the spans it came from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Source:
    """The text of one file.

    `name` is how messages call it (the path as the user wrote it), `text` is what was read. Lines end at `\\n` only,
    as in the lexer: `str.splitlines` would also split at form feeds and line separators.
    """

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        starts += [i + 1 for i, character in enumerate(self.text) if character == "\n"]
        object.__setattr__(self, "_starts", tuple(starts))

    def __repr__(self) -> str:
        return f"Source({self.name!r})"  # every node of a tree prints its source: its text would drown the rest

    @property
    def line_count(self) -> int:
        return len(self._starts)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset, both from 1; columns count code points."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its end."""
        if not 1 <= number <= self.line_count:
            return ""
        start = self._starts[number - 1]
        stop = self._starts[number] - 1 if number < self.line_count else len(self.text)
        return self.text[start:stop].removesuffix("\r")

    def span(self, start: int, stop: int) -> Span:
        return Span(self, start, stop)


@dataclass(frozen=True, slots=True)
class Span:
    """The part `start:stop` of a source, in code points."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other` (of the same source)."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
