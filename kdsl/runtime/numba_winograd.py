"""Convolutions of window 3x3 and stride 1 with fewer multiplications, by Winograd's minimal filtering.

A tile of 4x4 places needs 144 multiplications for each pair of channel and filter the direct way. Here 36 sums of its 6x6
inputs are multiplied by 36 sums of the weights, and the results are sums of the products:

    results = A' [(G weights G') * (B' inputs B)] A

For all tiles, channels and filters, each of the 36 parts is a product of matrices, [tiles, channels] @ [channels, filters].
Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", F(4x4, 3x3).
"""

from __future__ import annotations

from kdsl.runtime.numba_dense import GRADIENT_ROWS, PAIR, SINGLE, TWO_PANELS, pair_gradient_tile, single_gradient_tile
from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.numba_winograd_parts import PARTS, parts_of_inputs, results_of_parts
from kdsl.runtime.numba_winograd_tile import TILE
from kdsl.runtime.simd import PANEL, Memory, padded


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
