"""Edits that rules suggest."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit
from kdsl.source import Span


def without_statement(span: Span, doc: str = "") -> tuple[Edit, ...]:
    """Take a statement out with its line; no edit where something else stands there, or a comment belongs to it."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    stop = text.find("\n", span.stop)
    stop = len(text) if stop < 0 else stop + 1
    alone = not text[start : span.start].strip() and not text[span.stop : stop].strip()
    return (Edit(span.source.span(start, stop), ""),) if alone and not doc else ()


def without(start: int, stop: int, span: Span) -> tuple[Edit, ...]:
    """Take `start:stop` out of the text of a span's source."""
    return (Edit(span.source.span(start, stop), ""),)


def plain(span: Span) -> str:
    """The text of a place in one line."""
    return " ".join(span.text.split())
