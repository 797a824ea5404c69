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
        file = diagnostic.span.source
        for labels in by_line([diagnostic.primary, *diagnostic.secondary]):
            if labels[0].span.source is not file:
                file = labels[0].span.source
                self.place(labels[0])
            self.mark(labels)
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

    def mark(self, labels: Sequence[Label]) -> None:
        """A line with the places of its labels marked under it; what a mark says stands behind it, or below."""
        source = labels[0].span.source
        if not source.text:  # a file that could not be read
            return
        number, column = source.position(labels[0].span.start)
        line = source.line(number)
        first = min(label.span.start for label in labels) - labels[0].span.start + column - 1
        last = max(label.span.stop for label in labels) - labels[0].span.start + column - 1
        shown, start, _ = window(line, first, min(max(last, first + 1), max(len(line), column)))
        shift = first - start
        self.add(f"{self.paint(f'{number:>{self.gutter}} |', BLUE)} {visible(shown)}".rstrip())
        row, below = "", list[tuple[int, str, str]]()
        at = 0  # columns of the row so far, colours not counted
        marks = sorted(labels, key=lambda label: label.span.start)
        for label in marks:
            low = label.span.start - labels[0].span.start + column - 1 - shift
            high = min(low + max(1, label.span.stop - label.span.start), max(len(shown), low + 1))
            left, signs = width(shown[:low]), max(1, width(shown[:high]) - width(shown[:low]))
            sign, tint = ("^", self.tint) if label is self.diagnostic.primary else ("-", BLUE)
            said = visible(label.text)
            text = f"{sign * signs} {said}".rstrip()
            if label is not marks[-1]:
                below += [(left, said, tint)] if said else []
                text = sign * signs
            row += " " * (left - at) + self.paint(text, tint)
            at = left + len(text)
        margin = f"{self.paint(' ' * self.gutter + ' |', BLUE)} "
        self.add(margin + row)
        for left, text, tint in reversed(below):
            self.add(margin + " " * left + self.paint(text, tint))

    def add(self, line: str) -> None:
        self.out.append(line)


def by_line(labels: Sequence[Label]) -> list[list[Label]]:
    """Labels that can be marked under one line together, in the order of the first of each; marks do not meet."""
    groups: list[list[Label]] = []
    for label in labels:
        for group in groups:
            if all(beside(label, other) for other in group) and span_of(group, label) <= LONGEST:
                group.append(label)
                break
        else:
            groups.append([label])
    return groups


def beside(label: Label, other: Label) -> bool:
    """Both in one line, with a blank or more between them."""
    a, b = sorted((label.span, other.span), key=lambda span: span.start)
    return a.source is b.source and a.line == b.line and "\n" not in a.text and max(a.start + 1, a.stop) < b.start


def span_of(group: Sequence[Label], label: Label) -> int:
    spans = [each.span for each in (*group, label)]
    return max(span.stop for span in spans) - min(span.start for span in spans)


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
