"""The shape trail: `shapes: image [28, 28] -> flatten [784] -> dense [128] ...`."""

from __future__ import annotations

from kdsl.elaborate.scope import Link

MOST = 9  # entries; the middle of a longer trail is left out


def shapes(trail: Link, failed: str = "") -> str:
    """The way of a value from its input, and the step that could not follow."""
    links = trail.chain()
    entries = [f"{link.label} {link.type.dims}" for link in links]
    if len(entries) > MOST:
        entries = [*entries[: MOST // 2], "...", *entries[-(MOST // 2) :]]
    if failed:
        entries.append(f"{failed} \N{BALLOT X}")
    return f"shapes: {' -> '.join(entries)}"
