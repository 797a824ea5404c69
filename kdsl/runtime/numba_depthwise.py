"""Convolutions channel by channel: every channel has one filter, whose taps are lines of weights.

Places lie as in `numba_pools`. What has several filters for each channel is laid out before, each channel repeated.
"""

from __future__ import annotations

from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.numba_taps import first_tap, last_tap
from kdsl.runtime.simd import LANES, Memory, padded
from kdsl.runtime.simd_functions import spread
from kdsl.runtime.simd_memory import load, store


@kernel
def depthwise(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
    spread_z: int,
    spread_y: int,
    spread_x: int,
    stride_z: int,
    stride_y: int,
    stride_x: int,
    before_z: int,
    before_y: int,
    before_x: int,
    places_z: int,
    places_y: int,
    places_x: int,
    x: int,
    x_row: int,
    x_step: int,
    w: int,
    w_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p] = the sum over the taps of x[p + tap] * w[tap], channel by channel."""
    for r in range(rows):
        target = out + r * out_row
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            from_z, to_z = first_tap(top_z, spread_z), last_tap(top_z, spread_z, taps_z, size_z)
            for py in range(places_y):
                top_y = py * stride_y - before_y
                from_y, to_y = first_tap(top_y, spread_y), last_tap(top_y, spread_y, taps_y, size_y)
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    from_x, to_x = first_tap(top_x, spread_x), last_tap(top_x, spread_x, taps_x, size_x)
                    for c in range(0, width, LANES):
                        total = spread(0.0)
                        for kz in range(from_z, to_z):
                            for ky in range(from_y, to_y):
                                line = ((top_z + kz * spread_z) * size_y + top_y + ky * spread_y) * size_x + top_x
                                tap = w + (kz * taps_y + ky) * taps_x * w_step + c
                                for kx in range(from_x, to_x):
                                    seen = load(mem, x + r * x_row + (line + kx * spread_x) * x_step + c)
                                    total = total + seen * load(mem, tap + kx * w_step)
                        store(mem, target + c, total)
                    target += out_step


@kernel
def depthwise_back(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
    spread_z: int,
    spread_y: int,
    spread_x: int,
    stride_z: int,
    stride_y: int,
    stride_x: int,
    before_z: int,
    before_y: int,
    before_x: int,
    places_z: int,
    places_y: int,
    places_x: int,
    g: int,
    g_row: int,
    g_step: int,
    w: int,
    w_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p + tap] += g[p] * w[tap], channel by channel."""
    for r in range(rows):
        for i in range(0, size_z * size_y * size_x * out_step, LANES):
            store(mem, out + r * out_row + i, spread(0.0))
        source = g + r * g_row
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            from_z, to_z = first_tap(top_z, spread_z), last_tap(top_z, spread_z, taps_z, size_z)
            for py in range(places_y):
                top_y = py * stride_y - before_y
                from_y, to_y = first_tap(top_y, spread_y), last_tap(top_y, spread_y, taps_y, size_y)
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    from_x, to_x = first_tap(top_x, spread_x), last_tap(top_x, spread_x, taps_x, size_x)
                    for c in range(0, width, LANES):
                        upstream = load(mem, source + c)
                        for kz in range(from_z, to_z):
                            for ky in range(from_y, to_y):
                                line = ((top_z + kz * spread_z) * size_y + top_y + ky * spread_y) * size_x + top_x
                                tap = w + (kz * taps_y + ky) * taps_x * w_step + c
                                for kx in range(from_x, to_x):
                                    target = out + r * out_row + (line + kx * spread_x) * out_step + c
                                    change = upstream * load(mem, tap + kx * w_step)
                                    store(mem, target, load(mem, target) + change)
                    source += g_step


@kernel
def depthwise_taps(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
    spread_z: int,
    spread_y: int,
    spread_x: int,
    stride_z: int,
    stride_y: int,
    stride_x: int,
    before_z: int,
    before_y: int,
    before_x: int,
    places_z: int,
    places_y: int,
    places_x: int,
    x: int,
    x_row: int,
    x_step: int,
    g: int,
    g_row: int,
    g_step: int,
    out: int,
    out_step: int,
) -> None:
    """out[tap] = the sum over all places of x[p + tap] * g[p], channel by channel."""
    for kz in range(taps_z):
        top_z = kz * spread_z - before_z
        from_z, to_z = first_tap(top_z, stride_z), last_tap(top_z, stride_z, places_z, size_z)
        for ky in range(taps_y):
            top_y = ky * spread_y - before_y
            from_y, to_y = first_tap(top_y, stride_y), last_tap(top_y, stride_y, places_y, size_y)
            for kx in range(taps_x):
                top_x = kx * spread_x - before_x
                from_x, to_x = first_tap(top_x, stride_x), last_tap(top_x, stride_x, places_x, size_x)
                target = out + ((kz * taps_y + ky) * taps_x + kx) * out_step
                for c in range(0, width, LANES):
                    total = spread(0.0)
                    for r in range(rows):
                        for pz in range(from_z, to_z):
                            for py in range(from_y, to_y):
                                line = ((top_z + pz * stride_z) * size_y + top_y + py * stride_y) * size_x + top_x
                                place = (pz * places_y + py) * places_x
                                for px in range(from_x, to_x):
                                    seen = load(mem, x + r * x_row + (line + px * stride_x) * x_step + c)
                                    total = total + seen * load(mem, g + r * g_row + (place + px) * g_step + c)
                    store(mem, target + c, total)


@kernel
def repeat_channels(
    mem: Memory,
    rows: int,
    lines: int,
    channels: int,
    times: int,
    x: int,
    x_row: int,
    x_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p, c * times + m] = x[p, c]"""
    for r in range(rows):
        for line in range(lines):
            source, target = x + r * x_row + line * x_step, out + r * out_row + line * out_step
            for c in range(0, padded(channels * times), LANES):
                store(mem, target + c, spread(0.0))
            for c in range(channels * times):
                mem[target + c] = mem[source + c // times]


@kernel
def sum_channels(
    mem: Memory,
    rows: int,
    lines: int,
    channels: int,
    times: int,
    x: int,
    x_row: int,
    x_step: int,
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p, c] = the sum over m of x[p, c * times + m]"""
    for r in range(rows):
        for line in range(lines):
            source, target = x + r * x_row + line * x_step, out + r * out_row + line * out_step
            for c in range(0, padded(channels), LANES):
                store(mem, target + c, spread(0.0))
            for c in range(channels * times):
                mem[target + c // times] += mem[source + c]


@short_kernel
def taps_of_lines(mem: Memory, taps: int, channels: int, times: int, w: int, out: int) -> None:
    """Weights [taps, channels] lines of `times` filters as one line of channels * times for each tap."""
    width = padded(channels * times)
    for tap in range(taps):
        for c in range(0, width, LANES):
            store(mem, out + tap * width + c, spread(0.0))
        for c in range(channels * times):
            mem[out + tap * width + c] = mem[w + (tap * channels + c // times) * padded(times) + c % times]


@short_kernel
def lines_of_taps(mem: Memory, taps: int, channels: int, times: int, x: int, out: int) -> None:
    """The other way round."""
    width, step = padded(channels * times), padded(times)
    for c in range(0, taps * channels * step, LANES):
        store(mem, out + c, spread(0.0))
    for tap in range(taps):
        for c in range(channels * times):
            mem[out + (tap * channels + c // times) * step + c % times] = mem[x + tap * width + c]
