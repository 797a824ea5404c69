"""Convolutions: windows that slide over pictures, as products with the register tile.

A picture lies in lines of places, each place with its channels; neighbouring windows of a line are rows of the tile, so
that nothing is gathered. Three axes, of which the first or two may have size 1:

    z, y    lines of the picture; taps of a window that lie outside of it are left out
    x       places along a line; where windows reach beyond its ends, the line was copied with zeros around it

The weights are [taps_z][taps_y][taps_x][run] lines of units, in panels of 16 columns; `run` numbers of a picture lie side by
side for each tap along x, or for all of them.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.numba_dense import GRADIENT_ROWS, LOWEST, PAIR, SINGLE, TILE_ROWS, TWO_PANELS, WIDTHS
from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.simd import (
    I64,
    LANES,
    PANEL,
    VREAL,
    Memory,
    const,
    element,
    fma,
    padded,
    read_vec,
    real,
    splat,
    write_vec,
)
from kdsl.runtime.simd_functions import spread
from kdsl.runtime.simd_memory import load, store, store_head, transpose_part


def make_window_tile(rows: int, vecs: int) -> Any:
    """An intrinsic: `rows` x `vecs` registers that stay in place over four nested sums, z, y, x and k.

        C[r] = max(start[r] + sum of A[r, z, y, x, k] * B[z, y, x, k], floor) * scale where gate[r] > 0, else 0

    `a_z` leads along A for each step of z, `w_z` along B, and so on; `w_panel` and `c_panel` from 16 columns to the next
    16. Rows from `count` on repeat the last one and are not stored.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, a, a_row, w, w_panel, *sums = args[:18]
        c, c_row, c_panel, start, start_row, floor, gate, gate_row, scale = args[18:]
        zero, one, panel = I64(0), I64(1), I64(PANEL)

        def columns(at: Any, to_next_panel: Any) -> list[Any]:
            places = [(LANES * q // PANEL, LANES * q % PANEL) for q in range(vecs)]
            return [b.add(at, b.add(b.mul(to_next_panel, I64(p)), I64(within))) for p, within in places]

        last = b.sub(count, one)
        row = [zero] + [b.select(b.icmp_signed("<", I64(r), count), I64(r), last) for r in range(1, rows)]
        totals = [[cgutils.alloca_once(b, VREAL) for _ in range(vecs)] for _ in row]
        for r in range(rows):
            for q, place in enumerate(columns(b.add(start, b.mul(start_row, row[r])), panel)):
                b.store(read_vec(b, mem, place), totals[r][q])
        a_rows = [element(b, mem, b.add(a, b.mul(a_row, r))) for r in row]
        w_columns = [element(b, mem, o) for o in columns(w, w_panel)]

        def nested(axes: list[list[Any]], along_a: Any, along_w: Any) -> None:
            if axes:
                (times, a_step, w_step), *inner = axes
                with cgutils.for_range(b, times) as loop:
                    nested(inner, b.add(along_a, b.mul(loop.index, a_step)), b.add(along_w, b.mul(loop.index, w_step)))
                return
            w_now = [read_vec(b, p, along_w) for p in w_columns]
            for r in range(rows):
                x = splat(b, b.load(element(b, a_rows[r], along_a)))
                for q in range(vecs):
                    b.store(fma(b, x, w_now[q], b.load(totals[r][q])), totals[r][q])

        nested([sums[n : n + 3] for n in range(0, 12, 3)], zero, zero)
        end = b.append_basic_block("end")
        low, factor = splat(b, floor), splat(b, scale)
        for r in range(rows):
            if r:
                proceed = b.append_basic_block("row")
                b.cbranch(b.icmp_signed("<", I64(r), count), proceed, end)
                b.position_at_end(proceed)
            gates = columns(b.add(gate, b.mul(gate_row, I64(r))), panel)
            for q, target in enumerate(columns(b.add(c, b.mul(c_row, I64(r))), c_panel)):
                total = b.load(totals[r][q])
                x = b.select(b.fcmp_ordered("<", total, low), low, total)
                opened = b.fcmp_ordered(">", read_vec(b, mem, gates[q]), const(0.0))
                write_vec(b, b.select(opened, b.fmul(x, factor), const(0.0)), mem, target)
        b.branch(end)
        b.position_at_end(end)
        return ctx.get_dummy_value()

    i = types.int64

    @intrinsic
    def window_tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        w: Any,
        w_panel: Any,
        times_z: Any,
        a_z: Any,
        w_z: Any,
        times_y: Any,
        a_y: Any,
        w_y: Any,
        times_x: Any,
        a_x: Any,
        w_x: Any,
        times_k: Any,
        a_k: Any,
        w_k: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        start: Any,
        start_row: Any,
        floor: Any,
        gate: Any,
        gate_row: Any,
        scale: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 22, real, i, i, real), generate

    return window_tile


pair_window_tile, single_window_tile = make_window_tile(TILE_ROWS, WIDTHS[0]), make_window_tile(TILE_ROWS, WIDTHS[1])
higher_window_tile = make_window_tile(TILE_ROWS + 1, WIDTHS[0])
pair_taps_tile = make_window_tile(GRADIENT_ROWS, WIDTHS[0])
single_taps_tile = make_window_tile(GRADIENT_ROWS, WIDTHS[1])


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


@kernel
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
            before_z = max(0, -(top_z // spread_z))
            behind_z = min(taps_z, (size_z - top_z + spread_z - 1) // spread_z)
            for y in range(places_y):
                top_y = first_y + y * stride_y
                before_y = max(0, -(top_y // spread_y))
                behind_y = min(taps_y, (size_y - top_y + spread_y - 1) // spread_y)
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


@kernel
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
            from_z = max(0, -(top_z // stride_z))
            to_z = min(places_z, (size_z - top_z + stride_z - 1) // stride_z)
            for ky in range(taps_y):
                top_y = first_y + ky * spread_y
                from_y = max(0, -(top_y // stride_y))
                to_y = min(places_y, (size_y - top_y + stride_y - 1) // stride_y)
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


@kernel
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


@kernel
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
