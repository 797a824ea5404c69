"""How a syntax diagnostic is put together, and how its words show what was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.source import Source
from kdsl.syntax.tokens import END, Token

LIMIT = 100  # problems reported for one file
DEPTH = 100  # brackets inside brackets, values inside values
SHOWN = 40  # characters of a token that a message repeats

Change = tuple[int, int, str]  # replace text[start:stop]


def problem(
    source: Source,
    code: str,
    message: str,
    at: Token,
    help: str = "",
    changes: Iterable[Change] = (),
    secondary: Iterable[Label] = (),
) -> Diagnostic:
    """A diagnostic at a token; at the end of a line it has no width."""
    span = source.span(at.start, at.start if at.kind in END else at.stop)
    edits = tuple(Edit(source.span(start, stop), text) for start, stop, text in changes)
    return Diagnostic(code, message, Label(span), tuple(secondary), (), help, edits)


def quoted(text: str) -> str:
    """In backticks, shortened where it is long."""
    return f"`{text if len(text) <= SHOWN else text[: SHOWN - 10] + '...'}`"


def shown(token: Token) -> str:
    """What a message calls a token."""
    return "the end of the line" if token.kind in END else quoted(token.text)


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `b` and `c`."""
    marked = [f"`{word}`" for word in words]
    return f"{', '.join(marked[:-1])} {last} {marked[-1]}" if len(marked) > 1 else marked[0]


def padded(source: Source, start: int, stop: int, word: str) -> str:
    """The word with a blank on each side where it would otherwise grow together with its neighbour."""
    text = source.text
    left = " " if start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_") else ""
    right = " " if stop < len(text) and (text[stop].isalnum() or text[stop] == "_") else ""
    return left + word + right


def indentation(source: Source, offset: int) -> str:
    """The blanks that the line of this offset starts with."""
    line = source.line(source.position(offset)[0])
    return line[: len(line) - len(line.lstrip(" \t"))]
