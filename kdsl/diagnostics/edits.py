"""Edits applied to text."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Edit


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; their spans are places in `text` and do not overlap."""
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.stop), reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.stop :]
    return text


def changed_lines(edits: Sequence[Edit]) -> list[tuple[int, str]]:
    """(number, text) of each line that the edits change or add, as they leave it; blank ones are not listed."""
    source = edits[0].span.source
    after = apply(source.text, edits)
    old, new = source.text.split("\n"), after.split("\n")
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    lines = enumerate(new[first : len(new) - last], first + 1)
    shift = len(new) - len(old)
    changed = [(number, text) for number, text in lines if shift or text != old[number - 1]]
    return [(number, text.removesuffix("\r")) for number, text in changed if text.strip()]
