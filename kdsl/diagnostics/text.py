"""Diagnostics for people: the layout of rustc, the words of Elm.

    error[E114]: a comma is missing before `kernel`
     --> digits.kmodel:3:24
    3 |   h = image -> conv(32 kernel = 3)
      |                        ^^^^^^
    help: write `, kernel`
    3 +   h = image -> conv(32, kernel = 3)

The line of `help` is followed by the lines as the edits leave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.cells import visible, width
from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.diagnostics.edits import changed_lines

RED, YELLOW, BLUE, GREEN, BOLD, PLAIN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[32m", "\x1b[1m", "\x1b[0m"
LINES = 8  # of mended text that a help shows
LONGEST = 160  # columns of a source line; longer ones are cut around the marked place


def render_text(diagnostics: Iterable[Diagnostic], colour: bool = False) -> str:
    """All of them, a blank line between two."""
    return "\n".join(Page(diagnostic, colour).render() for diagnostic in diagnostics)


class Page:
    """One diagnostic on its way to text."""

    def __init__(self, diagnostic: Diagnostic, colour: bool) -> None:
        self.diagnostic = diagnostic
        self.colour = colour
        self.tint = YELLOW if diagnostic.severity == "warning" else RED
        self.mended = mended_lines(diagnostic)
        numbers = [label.span.line for label in (diagnostic.primary, *diagnostic.secondary)]
        self.gutter = len(str(max(numbers + [number for number, _ in self.mended])))
        self.out: list[str] = []

    def paint(self, text: str, tint: str) -> str:
        return f"{tint}{text}{PLAIN}" if self.colour and text else text

    def render(self) -> str:
        diagnostic = self.diagnostic
        self.head()
        self.mark(diagnostic.primary, "^", self.tint)
        file = diagnostic.span.source
        for label in diagnostic.secondary:
            if label.span.source is not file:
                file = label.span.source
                self.place(label)
            self.mark(label, "-", BLUE)
        for note in diagnostic.notes:
            self.add(f"{' ' * self.gutter} {self.paint('=', BLUE)} {indented(note, self.gutter + 3)}")
        if diagnostic.help:
            self.add(f"{self.paint('help', GREEN)}: {indented(diagnostic.help, 6)}")
        for number, text in self.mended:
            self.add(f"{self.paint(f'{number:>{self.gutter}} +', GREEN)} {visible(text)}".rstrip())
        return "\n".join(self.out) + "\n"

    def head(self) -> None:
        diagnostic = self.diagnostic
        code = f"{diagnostic.severity}[{diagnostic.code}]"
        entry = CATALOGUE.get(diagnostic.code)
        name = f" {entry.name}" if entry is not None and diagnostic.severity == "warning" else ""
        self.add(f"{self.paint(code, self.tint)}{name}: {self.paint(visible(diagnostic.message), BOLD)}")
        self.place(diagnostic.primary)

    def place(self, label: Label) -> None:
        self.add(f"{' ' * self.gutter}{self.paint('-->', BLUE)} {visible(str(label.span))}")

    def mark(self, label: Label, sign: str, tint: str) -> None:
        """The line of a label with the place marked under it."""
        span = label.span
        if not span.source.text:  # a file that could not be read
            return
        number, column = span.source.position(span.start)
        line = span.source.line(number)
        start, stop = column - 1, min(column - 1 + max(1, span.stop - span.start), max(len(line), column))
        line, start, stop = window(line, start, stop)
        signs = sign * max(1, width(line[:stop]) - width(line[:start]))
        self.add(f"{self.paint(f'{number:>{self.gutter}} |', BLUE)} {visible(line)}".rstrip())
        margin = f"{self.paint(' ' * self.gutter + ' |', BLUE)} {' ' * width(line[:start])}"
        self.add(margin + self.paint(f"{signs} {label.text}".rstrip(), tint))

    def add(self, line: str) -> None:
        self.out.append(line)


def mended_lines(diagnostic: Diagnostic) -> Sequence[tuple[int, str]]:
    """The lines as the edits leave them, where they are few and in the file of the message."""
    if not diagnostic.edits or any(edit.span.source is not diagnostic.span.source for edit in diagnostic.edits):
        return ()
    lines = changed_lines(diagnostic.edits)
    short = all(len(text) <= LONGEST for _, text in lines)
    return lines if len(lines) <= LINES and short else ()


def window(line: str, start: int, stop: int) -> tuple[str, int, int]:
    """A long line cut around the marked place, with the place in what is left."""
    if len(line) <= LONGEST:
        return line, start, stop
    low = max(0, min(start - LONGEST // 2, len(line) - LONGEST))
    cut = line[low : low + LONGEST]
    left = "..." if low > 0 else ""
    right = "..." if low + LONGEST < len(line) else ""
    shift = low - len(left)
    return left + cut + right, start - shift, min(stop - shift, len(left) + len(cut))


def indented(text: str, columns: int) -> str:
    """Lines behind the first stand under it."""
    return ("\n" + " " * columns).join(visible(line) for line in text.split("\n"))
