"""The pool of nearly every network: windows of 2x2 places that lie side by side, so that no place has two of them."""

from __future__ import annotations

from numba.extending import register_jitable

from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.simd import LANES, Memory
from kdsl.runtime.simd_functions import maximum, spread, where
from kdsl.runtime.simd_memory import load, store


@kernel
def max_pool_2x2(
    mem: Memory,
    rows: int,
    width: int,
    size_y: int,
    size_x: int,
    x: int,
    x_row: int,
    x_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p] = the largest x of the four at p, channel by channel; an odd last line or place is in no window."""
    below = size_x * x_step
    for r in range(rows):
        to = out + r * out_row
        for y in range(size_y // 2):
            at = x + r * x_row + 2 * y * below
            for _ in range(size_x // 2):
                for c in range(0, width, LANES):
                    first, second = load(mem, at + c), load(mem, at + x_step + c)
                    third, fourth = load(mem, at + below + c), load(mem, at + below + x_step + c)
                    store(mem, to + c, maximum(maximum(first, second), maximum(third, fourth)))
                at, to = at + 2 * x_step, to + out_step


@register_jitable
def give(mem, at, largest, to, waiting):  # type: ignore[no-untyped-def]
    """The gradient goes where the largest number is -> what is left for the places behind it."""
    here = where(load(mem, at) == largest, waiting, 0.0)
    store(mem, to, here)
    return waiting - here


@kernel
def max_pool_2x2_gradient(
    mem: Memory,
    rows: int,
    width: int,
    size_y: int,
    size_x: int,
    g: int,
    g_row: int,
    g_step: int,
    x: int,
    x_row: int,
    x_step: int,
    y: int,
    y_row: int,
    y_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[i] = g[p] at the first of the four places i at p whose x is y[p], channel by channel; elsewhere 0."""
    x_below, out_below = size_x * x_step, size_x * out_step
    for r in range(rows):
        source, known = g + r * g_row, y + r * y_row
        for line in range(size_y // 2):
            at, to = x + r * x_row + 2 * line * x_below, out + r * out_row + 2 * line * out_below
            for _ in range(size_x // 2):
                for c in range(0, width, LANES):
                    waiting, largest = load(mem, source + c), load(mem, known + c)
                    waiting = give(mem, at + c, largest, to + c, waiting)
                    waiting = give(mem, at + x_step + c, largest, to + out_step + c, waiting)
                    waiting = give(mem, at + x_below + c, largest, to + out_below + c, waiting)
                    give(mem, at + x_below + x_step + c, largest, to + out_below + out_step + c, waiting)
                at, to = at + 2 * x_step, to + 2 * out_step
                source, known = source + g_step, known + y_step
            if size_x % 2:
                for c in range(0, width, LANES):
                    store(mem, to + c, spread(0.0))
                    store(mem, to + out_below + c, spread(0.0))
        if size_y % 2:
            last = out + r * out_row + (size_y - 1) * out_below
            for i in range(0, out_below, LANES):
                store(mem, last + i, spread(0.0))
