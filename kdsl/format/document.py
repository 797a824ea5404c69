"""Documents that know where they may be broken, and the printer that decides where they are (Wadler 2003, and Prettier).

A document is a text, a tuple of documents, or one of the classes below. A group is printed in one line where it fits,
else each of its own lines is broken. Comments are documents too: nothing is ever printed behind one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

WIDTH = 100  # columns of a line
INDENT = 2
BEHIND = "\0"  # between a line and the comment behind it, whose column is chosen when its neighbours are known


@dataclass(frozen=True, slots=True)
class Line:
    """A place to break; `flat` is printed where it is not broken. `hard`: always broken; `blank`: with a blank line."""

    flat: str = " "
    hard: bool = False
    blank: bool = False


@dataclass(frozen=True, slots=True)
class IfBroken:
    """A text where the group around it is broken, and nothing where it is not."""

    text: str


@dataclass(frozen=True, slots=True)
class Nest:
    """Broken lines inside begin `columns` deeper."""

    columns: int
    inner: Doc


@dataclass(frozen=True, slots=True)
class Align:
    """Broken lines inside begin in the column where it starts."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Behind:
    """A comment behind what was printed; the line ends there."""

    text: str


@dataclass(frozen=True, slots=True)
class Own:
    """A comment in a line of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Fill:
    """As many items in a line as fit."""

    items: tuple[Doc, ...]


@dataclass(frozen=True)
class Group:
    """Printed in one line where that fits and nothing inside forbids it.

    `broken`: it is not; `alone`: what follows in the line need not fit, except for a comma.
    """

    inner: Doc
    broken: bool = False
    alone: bool = False
    hard: bool = field(init=False)
    tail: bool = field(init=False)

    def __post_init__(self) -> None:
        hard, tail = _forced(self.inner)
        object.__setattr__(self, "hard", self.broken or hard)
        object.__setattr__(self, "tail", tail)


Doc = Union[str, tuple["Doc", ...], Line, IfBroken, Nest, Align, Behind, Own, Fill, Group]


def _forced(doc: Doc) -> tuple[bool, bool]:
    """(cannot be printed in one line, ends with a comment, so that nothing can follow in its line)."""
    if isinstance(doc, str):
        return False, False
    if isinstance(doc, Group):
        return doc.hard, doc.tail
    if isinstance(doc, (Nest, Align)):
        return _forced(doc.inner)
    if isinstance(doc, (Line, Own)):
        return isinstance(doc, Own) or doc.hard, False
    if isinstance(doc, (Behind, IfBroken)):
        return False, isinstance(doc, Behind)
    hard, tail = False, False
    for part in doc.items if isinstance(doc, Fill) else doc:
        if part == "" or isinstance(part, IfBroken):
            continue
        inner, end = _forced(part)
        hard, tail = hard or tail or inner, end
    return hard, tail


@dataclass(slots=True)
class Printer:
    """Prints one document. `column` is where the present line stands, `indent` where the next one would begin."""

    indent: int = 0
    lines: list[str] = field(default_factory=list)
    line: str = ""
    closed: bool = False  # by a comment

    def print(self, doc: Doc) -> list[str]:
        """The lines of a document; the first begins at `indent`."""
        self.line = " " * self.indent
        stack: list[tuple[int, bool, Doc]] = [(self.indent, True, doc)]
        while stack:
            indent, broken, doc = stack.pop()
            if isinstance(doc, str):
                self.put(doc, indent)
            elif isinstance(doc, tuple):
                stack.extend((indent, broken, part) for part in reversed(doc))
            elif isinstance(doc, Group):
                following: list[tuple[int, bool, Doc]] = [(0, False, ",")] if doc.alone else stack
                flat = not doc.hard and self.fits(doc.inner, following, indent)
                stack.append((indent, not flat, doc.inner))
            elif isinstance(doc, Nest):
                stack.append((indent + doc.columns, broken, doc.inner))
            elif isinstance(doc, Align):
                stack.append((indent if self.closed else len(self.line), broken, doc.inner))
            elif isinstance(doc, Line):
                self.put(doc.flat, indent) if not (broken or doc.hard) else self.newline(indent, doc.blank)
            elif isinstance(doc, IfBroken):
                self.put(doc.text if broken else "", indent)
            elif isinstance(doc, Fill):
                stack.extend((indent, broken, part) for part in reversed(_separated(doc.items)))
            else:
                self.comment(doc, indent)
        self.lines.append(self.line.rstrip())
        return self.lines

    def put(self, text: str, indent: int) -> None:
        if not text:
            return
        if self.closed:
            self.newline(indent)
        self.line += text.lstrip() if not self.line.strip() else text

    def newline(self, indent: int, blank: bool = False) -> None:
        if self.line.strip():
            self.lines.append(self.line.rstrip())
        if blank:
            self.lines.append("")
        self.line, self.closed = " " * indent, False

    def comment(self, doc: Behind | Own, indent: int) -> None:
        if isinstance(doc, Behind) and not self.closed:
            self.line = f"{self.line.rstrip()}{BEHIND}{doc.text}"
        else:
            self.newline(indent)
            self.line += doc.text
        self.closed = True

    def fits(self, doc: Doc, rest: list[tuple[int, bool, Doc]], indent: int) -> bool:
        """The document in one line, with what must follow in that line, does not pass the last column."""
        left = WIDTH - (indent if self.closed else len(self.line))
        stack: list[tuple[bool, Doc]] = [(False, doc)]
        behind = len(rest)
        while left >= 0:
            if not stack:
                if behind == 0:
                    return True
                behind -= 1
                stack.append((rest[behind][1], rest[behind][2]))
            broken, part = stack.pop()
            if isinstance(part, str):
                left -= len(part)
            elif isinstance(part, tuple):
                stack.extend((broken, inner) for inner in reversed(part))
            elif isinstance(part, (Nest, Align)):
                stack.append((broken, part.inner))
            elif isinstance(part, Group):
                stack.append((broken and part.hard, part.inner))
            elif isinstance(part, Fill):
                stack.extend((broken, inner) for inner in reversed(_separated(part.items)))
            elif isinstance(part, IfBroken):
                left -= len(part.text) if broken else 0
            elif isinstance(part, Line) and not broken and not part.hard:
                left -= len(part.flat)
            else:
                return True  # the line ends here
        return False


def _separated(items: tuple[Doc, ...]) -> list[Doc]:
    """The items of a fill, each with the place to break before it."""
    return [items[0], *(Group((Line(), item), alone=True) for item in items[1:])]
