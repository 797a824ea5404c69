"""Pictures and weights in the arrangements that convolutions read."""

from __future__ import annotations

from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.simd import LANES, PANEL, Memory, padded
from kdsl.runtime.simd_functions import spread
from kdsl.runtime.simd_memory import load, store, store_head, transpose_part


@short_kernel
def frame(
    mem: Memory,
    rows: int,
    lines: int,
    runs: int,
    run: int,
    x: int,
    x_row: int,
    x_line: int,
    x_run: int,
    before: int,
    out: int,
    out_row: int,
    out_line: int,
) -> None:
    """The lines of pictures without gaps between their places, with `before` zeros before and zeros behind them."""
    end, whole = before + runs * run, run // LANES * LANES
    for r in range(rows):
        for line in range(lines):
            source, target = x + r * x_row + line * x_line, out + r * out_row + line * out_line
            for c in range(0, before, LANES):
                store_head(mem, target + c, spread(0.0), before - c)
            for place in range(runs):
                at, to = source + place * x_run, target + before + place * run
                for c in range(0, whole, LANES):
                    store(mem, to + c, load(mem, at + c))
                if whole < run:
                    store_head(mem, to + whole, load(mem, at + whole), run - whole)
            for c in range(end, out_line, LANES):
                store_head(mem, target + c, spread(0.0), out_line - c)


@short_kernel
def reversed_windows(
    mem: Memory,
    size_y: int,
    size_x: int,
    channels: int,
    filters: int,
    first_z: int,
    first_y: int,
    first_x: int,
    stride_z: int,
    stride_y: int,
    stride_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
    w: int,
    out: int,
) -> None:
    """Weights [.., size_y, size_x, channels, filters] for the way back: every stride-th tap from the first on, in reversed
    order, transposed, in panels of 16 channels: [channels / 16][taps_z][taps_y][taps_x][filters][16]."""
    columns = padded(filters)
    panel = taps_z * taps_y * taps_x * filters * PANEL
    for c in range(0, padded(channels), LANES):
        target = out + c // PANEL * panel + c % PANEL
        for z in range(taps_z):
            for y in range(taps_y):
                for x in range(taps_x):
                    line = (first_z + (taps_z - 1 - z) * stride_z) * size_y + first_y + (taps_y - 1 - y) * stride_y
                    tap = line * size_x + first_x + (taps_x - 1 - x) * stride_x
                    source = w + (tap * channels + c) * columns
                    for f in range(0, filters, LANES):
                        transpose_part(mem, channels - c, filters - f, source + f, columns, target + f * PANEL, PANEL)
                    target += filters * PANEL


@kernel
def spread_groups(mem: Memory, taps: int, channels: int, filters: int, groups: int, w: int, out: int) -> None:
    """Weights [taps, channels / groups, filters] as [taps, channels, filters], with zeros between different groups."""
    columns, inside, own = padded(filters), channels // groups, filters // groups
    for tap in range(taps):
        for c in range(channels):
            target, source = out + (tap * channels + c) * columns, w + (tap * inside + c % inside) * columns
            for f in range(0, columns, LANES):
                store(mem, target + f, spread(0.0))
            for f in range(c // inside * own, (c // inside + 1) * own):
                mem[target + f] = mem[source + f]


@kernel
def gather_groups(mem: Memory, taps: int, channels: int, filters: int, groups: int, x: int, out: int) -> None:
    """The other way round: what lies between different groups is left out."""
    columns, inside, own = padded(filters), channels // groups, filters // groups
    for tap in range(taps):
        for c in range(inside):
            target = out + (tap * inside + c) * columns
            for f in range(0, columns, LANES):
                store(mem, target + f, spread(0.0))
            for f in range(filters):
                mem[target + f] = mem[x + (tap * channels + f // own * inside + c) * columns + f]
