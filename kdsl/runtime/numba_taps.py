"""Which taps of a window lie inside of a picture, along one axis."""

from __future__ import annotations

from numba.extending import register_jitable


@register_jitable
def first_tap(top: int, apart: int) -> int:
    """Of a window that begins at `top`, with taps so far apart, the first one inside."""
    return max(0, -(top // apart))


@register_jitable
def last_tap(top: int, apart: int, taps: int, size: int) -> int:
    """One behind the last tap inside."""
    return min(taps, (size - top + apart - 1) // apart)
