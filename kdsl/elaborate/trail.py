"""The shape trail: `shapes: image [28, 28] -> flatten [784] -> dense [128] ...`."""

from __future__ import annotations

from kdsl.elaborate.scope import Link, Tensor

MOST = 9  # entries; the middle of a longer trail is left out
FAR = 64  # links that two trails are compared by


def shapes(trail: Link, failed: str = "", name: str = "shapes") -> str:
    """The way of a value from its input, and the step that could not follow; a call of a block is one step."""
    links = trail.steps()
    entries = [f"{link.label} {link.type.dims}" for link in links]
    if len(entries) > MOST:
        entries = [*entries[: MOST // 2], "...", *entries[-(MOST // 2) :]]
    if failed:
        entries.append(f"{failed} \N{BALLOT X}")
    return f"{name}: {' -> '.join(entries)}"


def longest(*tensors: Tensor) -> Link:
    """The trail with most links, of equal ones the first: what comes out of several values goes on from it."""
    ways = [(tensor.trail, tensor.trail) for tensor in tensors]
    for _ in range(FAR):
        further = [(trail, link.before) for trail, link in ways if link.before is not None]
        if not further:
            break
        ways = further
    return ways[0][0]
