"""Pools, and convolutions channel by channel: windows over pictures, a register of channels at a time.

Three axes z, y and x of places, of which the first or two may have size 1; every place has its channels in one line, and
lines follow each other, `step` numbers apart. Taps that lie outside of the picture are left out.
"""

from __future__ import annotations

import math

from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.numba_taps import first_tap, last_tap
from kdsl.runtime.simd import LANES, Memory
from kdsl.runtime.simd_functions import maximum, spread, where
from kdsl.runtime.simd_memory import load, store


@kernel
def max_pool(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
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
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p] = the largest x of the window at p, channel by channel."""
    for r in range(rows):
        target = out + r * out_row
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            for py in range(places_y):
                top_y = py * stride_y - before_y
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    for c in range(0, width, LANES):
                        total = spread(-math.inf)
                        for kz in range(first_tap(top_z, 1), last_tap(top_z, 1, taps_z, size_z)):
                            for ky in range(first_tap(top_y, 1), last_tap(top_y, 1, taps_y, size_y)):
                                line = ((top_z + kz) * size_y + top_y + ky) * size_x + top_x
                                for kx in range(first_tap(top_x, 1), last_tap(top_x, 1, taps_x, size_x)):
                                    total = maximum(total, load(mem, x + r * x_row + (line + kx) * x_step + c))
                        store(mem, target + c, total)
                    target += out_step


@kernel
def max_pool_gradient(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
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
    """out[i] += g[p] where i is the first place of the window at p whose x is y[p], channel by channel."""
    for r in range(rows):
        for i in range(0, size_z * size_y * size_x * out_step, LANES):
            store(mem, out + r * out_row + i, spread(0.0))
        place = 0
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            for py in range(places_y):
                top_y = py * stride_y - before_y
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    for c in range(0, width, LANES):
                        waiting = load(mem, g + r * g_row + place * g_step + c)
                        largest = load(mem, y + r * y_row + place * y_step + c)
                        for kz in range(first_tap(top_z, 1), last_tap(top_z, 1, taps_z, size_z)):
                            for ky in range(first_tap(top_y, 1), last_tap(top_y, 1, taps_y, size_y)):
                                line = ((top_z + kz) * size_y + top_y + ky) * size_x + top_x
                                for kx in range(first_tap(top_x, 1), last_tap(top_x, 1, taps_x, size_x)):
                                    found = load(mem, x + r * x_row + (line + kx) * x_step + c) == largest
                                    here = where(found, waiting, 0.0)
                                    target = out + r * out_row + (line + kx) * out_step + c
                                    store(mem, target, load(mem, target) + here)
                                    waiting = waiting - here
                    place += 1


@kernel
def avg_pool(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
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
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[p] = the mean x of the window at p, channel by channel; padding is not counted."""
    for r in range(rows):
        target = out + r * out_row
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            deep = last_tap(top_z, 1, taps_z, size_z) - first_tap(top_z, 1)
            for py in range(places_y):
                top_y = py * stride_y - before_y
                high = last_tap(top_y, 1, taps_y, size_y) - first_tap(top_y, 1)
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    wide = last_tap(top_x, 1, taps_x, size_x) - first_tap(top_x, 1)
                    share = 1.0 / (deep * high * wide)
                    for c in range(0, width, LANES):
                        total = spread(0.0)
                        for kz in range(first_tap(top_z, 1), last_tap(top_z, 1, taps_z, size_z)):
                            for ky in range(first_tap(top_y, 1), last_tap(top_y, 1, taps_y, size_y)):
                                line = ((top_z + kz) * size_y + top_y + ky) * size_x + top_x
                                for kx in range(first_tap(top_x, 1), last_tap(top_x, 1, taps_x, size_x)):
                                    total = total + load(mem, x + r * x_row + (line + kx) * x_step + c)
                        store(mem, target + c, total * share)
                    target += out_step


@kernel
def avg_pool_gradient(
    mem: Memory,
    rows: int,
    width: int,
    size_z: int,
    size_y: int,
    size_x: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
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
    out: int,
    out_row: int,
    out_step: int,
) -> None:
    """out[i] += g[p] / places of the window, for every place i of the window at p."""
    for r in range(rows):
        for i in range(0, size_z * size_y * size_x * out_step, LANES):
            store(mem, out + r * out_row + i, spread(0.0))
        source = g + r * g_row
        for pz in range(places_z):
            top_z = pz * stride_z - before_z
            deep = last_tap(top_z, 1, taps_z, size_z) - first_tap(top_z, 1)
            for py in range(places_y):
                top_y = py * stride_y - before_y
                high = last_tap(top_y, 1, taps_y, size_y) - first_tap(top_y, 1)
                for px in range(places_x):
                    top_x = px * stride_x - before_x
                    wide = last_tap(top_x, 1, taps_x, size_x) - first_tap(top_x, 1)
                    share = 1.0 / (deep * high * wide)
                    for c in range(0, width, LANES):
                        each = load(mem, source + c) * share
                        for kz in range(first_tap(top_z, 1), last_tap(top_z, 1, taps_z, size_z)):
                            for ky in range(first_tap(top_y, 1), last_tap(top_y, 1, taps_y, size_y)):
                                line = ((top_z + kz) * size_y + top_y + ky) * size_x + top_x
                                for kx in range(first_tap(top_x, 1), last_tap(top_x, 1, taps_x, size_x)):
                                    target = out + r * out_row + (line + kx) * out_step + c
                                    store(mem, target, load(mem, target) + each)
                    source += g_step
