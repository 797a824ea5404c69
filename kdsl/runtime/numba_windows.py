"""Convolutions: windows that slide over pictures, as products with the register tile.

A picture lies in lines of places, each place with its channels; neighbouring windows of a line are rows of the tile, so
that nothing is gathered. Three axes, of which the first or two may have size 1:

    z, y    lines of the picture; taps of a window that lie outside of it are left out
    x       places along a line; where windows reach beyond its ends, the line was copied with zeros around it

The weights are [taps_z][taps_y][taps_x][run] lines of units, in panels of 16 columns; `run` numbers of a picture lie side by
side for each tap along x, or for all of them.
"""

from __future__ import annotations

from kdsl.runtime.numba_dense import PAIR, SINGLE, TILE_ROWS, TWO_PANELS, WIDTHS
from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.numba_taps import first_tap, last_tap
from kdsl.runtime.numba_window_tile import make_window_tile
from kdsl.runtime.simd import PANEL, Memory

pair_window_tile, single_window_tile = make_window_tile(TILE_ROWS, WIDTHS[0]), make_window_tile(TILE_ROWS, WIDTHS[1])
higher_window_tile = make_window_tile(TILE_ROWS + 1, WIDTHS[0])


@kernel
def slide_line(
    mem: Memory,
    places: int,
    units: int,
    times_z: int,
    x_z: int,
    w_z: int,
    times_y: int,
    x_y: int,
    w_y: int,
    times_x: int,
    x_x: int,
    run: int,
    x: int,
    x_place: int,
    w: int,
    w_panel: int,
    bias: int,
    out: int,
    out_place: int,
    floor: float,
    gate: int,
    gate_place: int,
    scale: float,
) -> None:
    """The windows of one line: out[p] = max(bias + sum over the taps of x[p + tap] @ w[tap], floor) * scale where gate > 0."""
    whole = units // PAIR * PAIR
    # Tiles with one row more, as many as leave a number of places that the others divide.
    higher = places % TILE_ROWS * (TILE_ROWS + 1)
    higher = higher if higher <= places else 0
    for j in range(0, whole, PAIR):
        for p in range(0, higher, TILE_ROWS + 1):
            higher_window_tile(
                mem,
                count=TILE_ROWS + 1,
                a=x + p * x_place,
                a_row=x_place,
                w=w + j // PANEL * w_panel + j % PANEL,
                w_panel=w_panel,
                times_z=times_z,
                a_z=x_z,
                w_z=w_z,
                times_y=times_y,
                a_y=x_y,
                w_y=w_y,
                times_x=times_x,
                a_x=x_x,
                w_x=run * PANEL,
                times_k=run,
                a_k=1,
                w_k=PANEL,
                c=out + p * out_place + j,
                c_row=out_place,
                c_panel=PANEL,
                start=bias + j,
                start_row=0,
                floor=floor,
                gate=gate + p * gate_place + j,
                gate_row=gate_place,
                scale=scale,
            )
        for p in range(higher, places, TILE_ROWS):
            pair_window_tile(
                mem,
                count=min(TILE_ROWS, places - p),
                a=x + p * x_place,
                a_row=x_place,
                w=w + j // PANEL * w_panel + j % PANEL,
                w_panel=w_panel,
                times_z=times_z,
                a_z=x_z,
                w_z=w_z,
                times_y=times_y,
                a_y=x_y,
                w_y=w_y,
                times_x=times_x,
                a_x=x_x,
                w_x=run * PANEL,
                times_k=run,
                a_k=1,
                w_k=PANEL,
                c=out + p * out_place + j,
                c_row=out_place,
                c_panel=PANEL,
                start=bias + j,
                start_row=0,
                floor=floor,
                gate=gate + p * gate_place + j,
                gate_row=gate_place,
                scale=scale,
            )
    if TWO_PANELS:
        for j in range(whole, units, SINGLE):
            for p in range(0, places, TILE_ROWS):
                single_window_tile(
                    mem,
                    count=min(TILE_ROWS, places - p),
                    a=x + p * x_place,
                    a_row=x_place,
                    w=w + j // PANEL * w_panel,
                    w_panel=0,
                    times_z=times_z,
                    a_z=x_z,
                    w_z=w_z,
                    times_y=times_y,
                    a_y=x_y,
                    w_y=w_y,
                    times_x=times_x,
                    a_x=x_x,
                    w_x=run * PANEL,
                    times_k=run,
                    a_k=1,
                    w_k=PANEL,
                    c=out + p * out_place + j,
                    c_row=out_place,
                    c_panel=0,
                    start=bias + j,
                    start_row=0,
                    floor=floor,
                    gate=gate + p * gate_place + j,
                    gate_row=gate_place,
                    scale=scale,
                )


@short_kernel
def slide(
    mem: Memory,
    rows: int,
    size_z: int,
    size_y: int,
    taps_z: int,
    taps_y: int,
    taps_x: int,
    spread_z: int,
    spread_y: int,
    run: int,
    first_z: int,
    first_y: int,
    stride_z: int,
    stride_y: int,
    places_z: int,
    places_y: int,
    places_x: int,
    units: int,
    x: int,
    x_row: int,
    x_slice: int,
    x_line: int,
    x_place: int,
    x_tap: int,
    w: int,
    w_panel: int,
    bias: int,
    out: int,
    out_row: int,
    out_slice: int,
    out_line: int,
    out_place: int,
    floor: float,
    gate: int,
    gated: int,
    scale: float,
) -> None:
    """out[r, z, y, x] = the window there @ w + bias, with an epilogue as in `dense`.     [places, taps * run] @ [taps * run, units]

    Window z begins at line `first_z + z * stride_z`; its taps are `spread_z` lines apart. The gate lies as `out` does where
    `gated` is 1; where it is 0, it is one line for all.
    """
    w_y = taps_x * run * PANEL
    w_z = taps_y * w_y
    for r in range(rows):
        for z in range(places_z):
            top_z = first_z + z * stride_z
            before_z = first_tap(top_z, spread_z)
            behind_z = last_tap(top_z, spread_z, taps_z, size_z)
            for y in range(places_y):
                top_y = first_y + y * stride_y
                before_y = first_tap(top_y, spread_y)
                behind_y = last_tap(top_y, spread_y, taps_y, size_y)
                lines = (top_z + before_z * spread_z) * x_slice + (top_y + before_y * spread_y) * x_line
                place = r * out_row + z * out_slice + y * out_line
                slide_line(
                    mem,
                    places=places_x,
                    units=units,
                    times_z=behind_z - before_z,
                    x_z=spread_z * x_slice,
                    w_z=w_z,
                    times_y=behind_y - before_y,
                    x_y=spread_y * x_line,
                    w_y=w_y,
                    times_x=taps_x,
                    x_x=x_tap,
                    run=run,
                    x=x + r * x_row + lines,
                    x_place=x_place,
                    w=w + before_z * w_z + before_y * w_y,
                    w_panel=w_panel,
                    bias=bias,
                    out=out + place,
                    out_place=out_place,
                    floor=floor,
                    gate=gate + gated * place,
                    gate_place=gated * out_place,
                    scale=scale,
                )
