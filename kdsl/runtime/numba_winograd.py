"""Convolutions of window 3x3 and stride 1 with fewer multiplications, by Winograd's minimal filtering.

A tile of 4x4 places needs 144 multiplications for each pair of channel and filter the direct way. Here 36 sums of its 6x6
inputs are multiplied by 36 sums of the weights, and the results are sums of the products:

    results = A' [(G weights G') * (B' inputs B)] A

For all tiles, channels and filters, each of the 36 parts is a product of matrices, [tiles, channels] @ [channels, filters].
Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", F(4x4, 3x3).
"""

from __future__ import annotations

from numba.extending import register_jitable

from kdsl.runtime.numba_dense import (
    GRADIENT_ROWS,
    LOWEST,
    PAIR,
    SINGLE,
    TWO_PANELS,
    WIDTHS,
    make_tile,
    pair_gradient_tile,
    single_gradient_tile,
)
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
pair_parts_tile, single_parts_tile = make_tile(GRADIENT_ROWS, WIDTHS[0]), make_tile(GRADIENT_ROWS, WIDTHS[1])


# ---- the sums ------------------------------------------------------------------------------------------------------------


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


# ---- the three products --------------------------------------------------------------------------------------------------


@kernel
def products_of_parts(
    mem: Memory,
    tiles: int,
    channels: int,
    units: int,
    x: int,
    x_part: int,
    w: int,
    out: int,
    out_part: int,
) -> None:
    """out = x @ w for each of the 36 parts; w lies in panels.     [tiles, channels] @ [channels, units]"""
    whole, x_row, panel = units // PAIR * PAIR, padded(channels), channels * PANEL
    for part in range(PARTS):
        a, b, c = x + part * x_part, w + part * channels * units, out + part * out_part
        for j in range(0, whole, PAIR):
            for t in range(0, tiles, GRADIENT_ROWS):
                pair_gradient_tile(
                    mem,
                    count=min(GRADIENT_ROWS, tiles - t),
                    a=a + t * x_row,
                    a_row=x_row,
                    a_step=1,
                    w=b + j // PANEL * panel + j % PANEL,
                    w_step=PANEL,
                    w_panel=panel,
                    c=c + t * units + j,
                    c_row=units,
                    c_panel=PANEL,
                    depth=channels,
                )
        if TWO_PANELS:
            for j in range(whole, units, SINGLE):
                for t in range(0, tiles, GRADIENT_ROWS):
                    single_gradient_tile(
                        mem,
                        count=min(GRADIENT_ROWS, tiles - t),
                        a=a + t * x_row,
                        a_row=x_row,
                        a_step=1,
                        w=b + j // PANEL * panel,
                        w_step=PANEL,
                        w_panel=0,
                        c=c + t * units + j,
                        c_row=units,
                        c_panel=0,
                        depth=channels,
                    )


@kernel
def gradients_of_parts(
    mem: Memory,
    tiles: int,
    channels: int,
    units: int,
    x: int,
    x_part: int,
    g: int,
    g_part: int,
    start: int,
    start_part: int,
    out: int,
    out_part: int,
    ones: int,
) -> None:
    """out = start + transpose(x) @ g for each of the 36 parts.     [channels, tiles] @ [tiles, units]"""
    whole, x_step = units // PAIR * PAIR, padded(channels)
    start_row = min(start_part, units)
    for part in range(PARTS):
        a, b = x + part * x_part, g + part * g_part
        c, before = out + part * out_part, start + part * start_part
        for j in range(0, whole, PAIR):
            for i in range(0, channels, GRADIENT_ROWS):
                pair_parts_tile(
                    mem,
                    count=min(GRADIENT_ROWS, channels - i),
                    a=a + i,
                    a_row=1,
                    a_step=x_step,
                    w=b + j,
                    w_step=units,
                    w_panel=PANEL,
                    c=c + i * units + j,
                    c_row=units,
                    c_panel=PANEL,
                    depth=tiles,
                    start=before + i * start_row + j,
                    start_row=start_row,
                    floor=LOWEST,
                    gate=ones,
                    gate_row=0,
                    scale=1.0,
                )
        if TWO_PANELS:
            for j in range(whole, units, SINGLE):
                for i in range(0, channels, GRADIENT_ROWS):
                    single_parts_tile(
                        mem,
                        count=min(GRADIENT_ROWS, channels - i),
                        a=a + i,
                        a_row=1,
                        a_step=x_step,
                        w=b + j,
                        w_step=units,
                        w_panel=0,
                        c=c + i * units + j,
                        c_row=units,
                        c_panel=0,
                        depth=tiles,
                        start=before + i * start_row + j,
                        start_row=start_row,
                        floor=LOWEST,
                        gate=ones,
                        gate_row=0,
                        scale=1.0,
                    )


@kernel
def winograd(
    mem: Memory,
    rows: int,
    size_y: int,
    size_x: int,
    before_y: int,
    before_x: int,
    places_y: int,
    places_x: int,
    channels: int,
    units: int,
    tiles: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    w: int,
    bias: int,
    out: int,
    out_row: int,
    out_line: int,
    out_place: int,
    floor: float,
    gate: int,
    gated: int,
    scale: float,
    zeros: int,
    work: int,
) -> None:
    """out[r, y, x] = the window there @ weights + bias, with an epilogue as in `dense`; `tiles` tiles at a time.

    Windows begin `before_y` lines and `before_x` places before the picture. `work` has room for the parts
    of inputs and results, [36][tiles][channels] and [36][tiles][units], with a panel between two parts.
    """
    tiles_y, tiles_x = (places_y + TILE - 1) // TILE, (places_x + TILE - 1) // TILE
    step = padded(channels)
    x_part, out_part = tiles * step + PANEL, tiles * units + PANEL
    out_parts = work + PARTS * x_part
    whole = rows * tiles_y * tiles_x
    for first in range(0, whole, tiles):
        count = min(tiles, whole - first)
        parts_of_inputs(
            mem,
            first=first,
            tiles=count,
            tiles_y=tiles_y,
            tiles_x=tiles_x,
            before_y=before_y,
            before_x=before_x,
            size_y=size_y,
            size_x=size_x,
            channels=channels,
            x=x,
            x_row=x_row,
            x_line=x_line,
            x_place=x_place,
            out=work,
            out_part=x_part,
            zeros=zeros,
        )
        products_of_parts(
            mem,
            tiles=count,
            channels=channels,
            units=units,
            x=work,
            x_part=x_part,
            w=w,
            out=out_parts,
            out_part=out_part,
        )
        results_of_parts(
            mem,
            first=first,
            tiles=count,
            tiles_y=tiles_y,
            tiles_x=tiles_x,
            places_y=places_y,
            places_x=places_x,
            units=units,
            x=out_parts,
            x_part=out_part,
            bias=bias,
            out=out,
            out_row=out_row,
            out_line=out_line,
            out_place=out_place,
            floor=floor,
            gate=gate,
            gated=gated,
            scale=scale,
        )


@kernel
def winograd_gradient(
    mem: Memory,
    rows: int,
    size_y: int,
    size_x: int,
    before_y: int,
    before_x: int,
    places_y: int,
    places_x: int,
    channels: int,
    units: int,
    tiles: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    g: int,
    g_row: int,
    g_line: int,
    g_place: int,
    out: int,
    zeros: int,
    ones: int,
    work: int,
) -> None:
    """The gradient of `winograd` for its weights, in lines [3][3][channels] of units: the sum over all windows."""
    tiles_y, tiles_x = (places_y + TILE - 1) // TILE, (places_x + TILE - 1) // TILE
    step = padded(channels)
    x_part, g_part, out_part = tiles * step + PANEL, tiles * units + PANEL, channels * units + PANEL
    g_parts = work + PARTS * x_part
    out_parts = g_parts + PARTS * g_part
    whole = rows * tiles_y * tiles_x
    for first in range(0, whole, tiles):
        count, again = min(tiles, whole - first), min(first, 1)
        parts_of_inputs(
            mem,
            first=first,
            tiles=count,
            tiles_y=tiles_y,
            tiles_x=tiles_x,
            before_y=before_y,
            before_x=before_x,
            size_y=size_y,
            size_x=size_x,
            channels=channels,
            x=x,
            x_row=x_row,
            x_line=x_line,
            x_place=x_place,
            out=work,
            out_part=x_part,
            zeros=zeros,
        )
        parts_of_gradients(
            mem,
            first=first,
            tiles=count,
            tiles_y=tiles_y,
            tiles_x=tiles_x,
            places_y=places_y,
            places_x=places_x,
            units=units,
            g=g,
            g_row=g_row,
            g_line=g_line,
            g_place=g_place,
            out=g_parts,
            out_part=g_part,
            zeros=zeros,
        )
        gradients_of_parts(
            mem,
            tiles=count,
            channels=channels,
            units=units,
            x=work,
            x_part=x_part,
            g=g_parts,
            g_part=g_part,
            start=again * out_parts + (1 - again) * zeros,
            start_part=again * out_part,
            out=out_parts,
            out_part=out_part,
            ones=ones,
        )
    weights_of_parts(mem, numbers=channels * units, x=out_parts, x_part=out_part, out=out)
