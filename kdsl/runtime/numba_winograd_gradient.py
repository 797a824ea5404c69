"""The gradient of convolutions by Winograd's filtering for their weights: 36 products again, summed over all tiles."""

from __future__ import annotations

from kdsl.runtime.numba_dense import GRADIENT_ROWS, LOWEST, PAIR, SINGLE, TWO_PANELS, WIDTHS
from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.numba_tile import make_tile
from kdsl.runtime.numba_winograd_parts import PARTS, parts_of_gradients, parts_of_inputs, weights_of_parts
from kdsl.runtime.numba_winograd_tile import TILE
from kdsl.runtime.simd import PANEL, Memory, padded

pair_parts_tile, single_parts_tile = make_tile(GRADIENT_ROWS, WIDTHS[0]), make_tile(GRADIENT_ROWS, WIDTHS[1])


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
