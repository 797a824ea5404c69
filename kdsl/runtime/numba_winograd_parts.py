"""What stands before and behind the products of Winograd's filtering: the sums of all tiles, and which tile lies where."""

from __future__ import annotations

from numba.extending import register_jitable

from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.numba_winograd_tile import (
    INPUTS,
    TILE,
    finish_results,
    sum_gradients,
    sum_inputs,
    sum_weight_gradients,
    sum_weights,
)
from kdsl.runtime.simd import LANES, PANEL, Memory, padded

PARTS = INPUTS * INPUTS


@kernel
def parts_of_weights(mem: Memory, panels: int, lines: int, w: int, out: int) -> None:
    """G weights G': [panels][3][3][lines][16] -> [36][panels][lines][16]."""
    tap = lines * PANEL
    part = panels * tap
    for p in range(panels):
        for n in range(0, tap, LANES):
            at, to = w + p * 9 * tap + n, out + p * tap + n
            sum_weights(mem, at, 0, 0, 3, 3, 3 * tap, tap, 0, to, INPUTS * part, part)


@kernel
def weights_of_parts(mem: Memory, numbers: int, x: int, x_part: int, out: int) -> None:
    """G' parts G, the gradient of the weights: [36][numbers] -> [3][3][numbers]."""
    for n in range(0, numbers, LANES):
        at, line = x + n, INPUTS * x_part
        sum_weight_gradients(mem, at, 0, 0, INPUTS, INPUTS, line, x_part, 0, out + n, 3 * numbers, numbers)


@register_jitable
def place_of_tile(number, tiles_y, tiles_x):  # type: ignore[no-untyped-def]
    """Tiles are counted along x, then y, then the rows of the batch -> (row, y, x)."""
    inside = number % (tiles_y * tiles_x)
    return number // (tiles_y * tiles_x), inside // tiles_x, inside % tiles_x


@register_jitable
def next_tile(row, y, x, tiles_y, tiles_x):  # type: ignore[no-untyped-def]
    x += 1
    if x == tiles_x:
        x, y = 0, y + 1
    if y == tiles_y:
        y, row = 0, row + 1
    return row, y, x


@kernel
def parts_of_inputs(
    mem: Memory,
    first: int,
    tiles: int,
    tiles_y: int,
    tiles_x: int,
    before_y: int,
    before_x: int,
    size_y: int,
    size_x: int,
    channels: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_part: int,
    zeros: int,
) -> None:
    """B' inputs B for `tiles` tiles from number `first` on: [36][tiles][channels]."""
    step = padded(channels)
    row, y, place = place_of_tile(first, tiles_y, tiles_x)
    for t in range(tiles):
        top, left, at, to = y * TILE - before_y, place * TILE - before_x, x + row * x_row, out + t * step
        for c in range(0, channels, LANES):
            sum_inputs(
                mem, at + c, top, left, size_y, size_x, x_line, x_place, zeros, to + c, INPUTS * out_part, out_part
            )
        row, y, place = next_tile(row, y, place, tiles_y, tiles_x)


@kernel
def parts_of_gradients(
    mem: Memory,
    first: int,
    tiles: int,
    tiles_y: int,
    tiles_x: int,
    places_y: int,
    places_x: int,
    units: int,
    g: int,
    g_row: int,
    g_line: int,
    g_place: int,
    out: int,
    out_part: int,
    zeros: int,
) -> None:
    """A gradients A' for `tiles` tiles from number `first` on: [36][tiles][units]."""
    row, y, place = place_of_tile(first, tiles_y, tiles_x)
    for t in range(tiles):
        top, left, at, to = y * TILE, place * TILE, g + row * g_row, out + t * units
        for c in range(0, units, LANES):
            sum_gradients(
                mem, at + c, top, left, places_y, places_x, g_line, g_place, zeros, to + c, INPUTS * out_part, out_part
            )
        row, y, place = next_tile(row, y, place, tiles_y, tiles_x)


@kernel
def results_of_parts(
    mem: Memory,
    first: int,
    tiles: int,
    tiles_y: int,
    tiles_x: int,
    places_y: int,
    places_x: int,
    units: int,
    x: int,
    x_part: int,
    bias: int,
    out: int,
    out_row: int,
    out_line: int,
    out_place: int,
    floor: float,
    gate: int,
    gated: int,
    scale: float,
) -> None:
    """max(A' parts A + bias, floor) * scale where gate > 0, else 0: 4x4 places for each tile."""
    row, y, place = place_of_tile(first, tiles_y, tiles_x)
    for t in range(tiles):
        top, left, at = y * TILE, place * TILE, x + t * units
        corner = row * out_row + top * out_line + left * out_place
        to, opened = out + corner, gate + gated * corner
        for c in range(0, units, LANES):
            finish_results(
                mem,
                at + c,
                x_part,
                bias + c,
                to + c,
                out_line,
                out_place,
                min(TILE, places_y - top),
                min(TILE, places_x - left),
                floor,
                opened + c,
                gated * out_line,
                gated * out_place,
                scale,
            )
        row, y, place = next_tile(row, y, place, tiles_y, tiles_x)
