"""The gradient of a convolution for its weights: taps are rows of the tile, and the places are what is summed up."""

from __future__ import annotations

from kdsl.runtime.numba_dense import GRADIENT_ROWS, LOWEST, PAIR, SINGLE, TWO_PANELS, WIDTHS
from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.numba_taps import first_tap, last_tap
from kdsl.runtime.numba_window_tile import make_window_tile
from kdsl.runtime.simd import PANEL, Memory

pair_taps_tile = make_window_tile(GRADIENT_ROWS, WIDTHS[0])
single_taps_tile = make_window_tile(GRADIENT_ROWS, WIDTHS[1])


@kernel
def taps_of_line(
    mem: Memory,
    run: int,
    units: int,
    times_z: int,
    x_z: int,
    g_z: int,
    times_y: int,
    x_y: int,
    g_y: int,
    places: int,
    x: int,
    x_place: int,
    g: int,
    g_place: int,
    start: int,
    start_line: int,
    out: int,
    out_line: int,
    ones: int,
) -> None:
    """One tap's lines of the gradient: out = start + transpose(x) @ g over all places.     [run, places] @ [places, units]"""
    whole = units // PAIR * PAIR
    for i in range(0, run, GRADIENT_ROWS):
        for j in range(0, whole, PAIR):
            pair_taps_tile(
                mem,
                count=min(GRADIENT_ROWS, run - i),
                a=x + i,
                a_row=1,
                w=g + j,
                w_panel=PANEL,
                times_z=1,
                a_z=0,
                w_z=0,
                times_y=times_z,
                a_y=x_z,
                w_y=g_z,
                times_x=times_y,
                a_x=x_y,
                w_x=g_y,
                times_k=places,
                a_k=x_place,
                w_k=g_place,
                c=out + i * out_line + j,
                c_row=out_line,
                c_panel=PANEL,
                start=start + i * start_line + j,
                start_row=start_line,
                floor=LOWEST,
                gate=ones,
                gate_row=0,
                scale=1.0,
            )
        if TWO_PANELS:
            for j in range(whole, units, SINGLE):
                single_taps_tile(
                    mem,
                    count=min(GRADIENT_ROWS, run - i),
                    a=x + i,
                    a_row=1,
                    w=g + j,
                    w_panel=0,
                    times_z=1,
                    a_z=0,
                    w_z=0,
                    times_y=times_z,
                    a_y=x_z,
                    w_y=g_z,
                    times_x=times_y,
                    a_x=x_y,
                    w_x=g_y,
                    times_k=places,
                    a_k=x_place,
                    w_k=g_place,
                    c=out + i * out_line + j,
                    c_row=out_line,
                    c_panel=0,
                    start=start + i * start_line + j,
                    start_row=start_line,
                    floor=LOWEST,
                    gate=ones,
                    gate_row=0,
                    scale=1.0,
                )


@short_kernel
def slide_gradient(
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
    g: int,
    g_row: int,
    g_slice: int,
    g_line: int,
    g_place: int,
    out: int,
    out_line: int,
    zeros: int,
    ones: int,
) -> None:
    """The gradient of `slide` for its weights, in lines: out[tap] = the sum over all windows of transpose(x at the tap) @ g."""
    for r in range(rows):
        line, again = out, min(r, 1)  # from the second row on, what is there already is the start
        for kz in range(taps_z):
            top_z = first_z + kz * spread_z
            from_z = first_tap(top_z, stride_z)
            to_z = last_tap(top_z, stride_z, places_z, size_z)
            for ky in range(taps_y):
                top_y = first_y + ky * spread_y
                from_y = first_tap(top_y, stride_y)
                to_y = last_tap(top_y, stride_y, places_y, size_y)
                lines = (top_z + from_z * stride_z) * x_slice + (top_y + from_y * stride_y) * x_line
                for kx in range(taps_x):
                    taps_of_line(
                        mem,
                        run=run,
                        units=units,
                        times_z=to_z - from_z,
                        x_z=stride_z * x_slice,
                        g_z=g_slice,
                        times_y=to_y - from_y,
                        x_y=stride_y * x_line,
                        g_y=g_line,
                        places=places_x,
                        x=x + r * x_row + lines + kx * x_tap,
                        x_place=x_place,
                        g=g + r * g_row + from_z * g_slice + from_y * g_line,
                        g_place=g_place,
                        start=again * line + (1 - again) * zeros,
                        start_line=again * out_line,
                        out=line,
                        out_line=out_line,
                        ones=ones,
                    )
                    line += run * out_line
