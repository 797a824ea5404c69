"""Changes of a text, and its lines: where a comment can stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """`text` instead of what stands from `start` to `stop`. Of several at one place the first comes first."""

    start: int
    stop: int
    text: str


def changed(text: str, changes: Iterable[Change]) -> str:
    """All changes made; they do not overlap."""
    pieces: list[str] = []
    at = 0
    for change in sorted(changes, key=lambda each: (each.start, each.stop)):
        pieces += [text[at : change.start], change.text]
        at = change.stop
    return "".join([*pieces, text[at:]])


def rest_of_line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[at:] if end < 0 else text[at:end]


def remark(text: str, at: int, words: str) -> Change | None:
    """A comment behind what ends at `at`, before one that stands there; None where more code follows in the line."""
    rest = rest_of_line(text, at)
    bare = rest.lstrip()
    if not bare.strip():
        return Change(at, at + len(rest.rstrip("\r")), f"  # {words}")
    if bare.startswith("#"):
        start = at + len(rest) - len(bare)
        return Change(start, start + 1, f"# {words};")
    return None


def end_of_statement(text: str, stop: int) -> int:
    """Where the next line can begin: behind a comment, if one follows."""
    rest = rest_of_line(text, stop)
    return stop + len(rest.rstrip("\r")) if not rest.strip() or rest.lstrip().startswith("#") else stop
