"""The matrix products of a dense layer: one register tile, and the loops that lead it over the matrices.

Weights [inputs, units] are kept in panels of 16 columns, [units / 16][inputs][16], so that the tile reads them in one
straight run. Everything else is row by row; `_row` is the distance from one row to the next.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.simd import (
    I64,
    LANES,
    PANEL,
    REGISTERS,
    VREAL,
    Memory,
    const,
    element,
    fma,
    read_vec,
    real,
    splat,
    write_vec,
)
from kdsl.runtime.simd_functions import spread
from kdsl.runtime.simd_memory import load, store, transpose_block


def make_tile(rows: int, vecs: int, plain: bool = False) -> Any:
    """An intrinsic: `rows` x `vecs` registers that stay in place over the whole reduction.

            k ->               . . B . .       one row of B: vecs registers
                               . . . . .
        A   a a a a a a        C C C C C       C[r] = sum over k of A[r, k] * B[k], rows of C in registers
            a a a a a a        C C C C C

        C[r] = max(start[r] + A[r] @ B, floor) * scale where gate[r] > 0, else 0

    `x_row` leads from row to row, `x_step` along the reduction, `x_panel` from 16 columns to the next 16. Rows from
    `count` on repeat the last one and are not stored. rows * vecs + vecs + 1 registers are alive in the loop. A `plain`
    tile is C[r] = A[r] @ B.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, a, a_row, a_step, w, w_step, w_panel, c, c_row, c_panel, depth, *epilogue = args
        zero, one, panel = I64(0), I64(1), I64(PANEL)

        def columns(at: Any, to_next_panel: Any) -> list[Any]:
            """The places of the tile's registers in one row that begins at `at`."""
            places = [(LANES * q // PANEL, LANES * q % PANEL) for q in range(vecs)]
            return [b.add(at, b.add(b.mul(to_next_panel, I64(p)), I64(within))) for p, within in places]

        def row_at(at: Any, to_next_row: Any, r: Any) -> Any:
            return b.add(at, b.mul(to_next_row, r))

        last = b.sub(count, one)
        row = [zero] + [b.select(b.icmp_signed("<", I64(r), count), I64(r), last) for r in range(1, rows)]
        first = [[const(0.0)] * vecs for r in row]
        if epilogue:
            start, start_row, floor, gate, gate_row, scale = epilogue
            first = [[read_vec(b, mem, o) for o in columns(row_at(start, start_row, r), panel)] for r in row]
        a_rows = [element(b, mem, row_at(a, a_row, r)) for r in row]
        w_columns = [element(b, mem, o) for o in columns(w, w_panel)]
        before, loop, done, end = b.block, *(b.append_basic_block(n) for n in ("loop", "done", "end"))
        b.branch(loop)

        b.position_at_end(loop)
        k = b.phi(I64)
        total = [[b.phi(VREAL) for _ in range(vecs)] for _ in row]
        along_a, along_w = b.mul(k, a_step), b.mul(k, w_step)
        w_now = [read_vec(b, p, along_w) for p in w_columns]
        new = []
        for r in range(rows):
            x = splat(b, b.load(element(b, a_rows[r], along_a)))
            new.append([fma(b, x, w_now[q], total[r][q]) for q in range(vecs)])
        following = b.add(k, one)
        b.cbranch(b.icmp_signed("<", following, depth), loop, done)
        k.add_incoming(zero, before)
        k.add_incoming(following, loop)
        for r in range(rows):
            for q in range(vecs):
                total[r][q].add_incoming(first[r][q], before)
                total[r][q].add_incoming(new[r][q], loop)

        b.position_at_end(done)
        low, factor = (splat(b, floor), splat(b, scale)) if epilogue else (None, None)
        for r in range(rows):
            if r:
                proceed = b.append_basic_block("row")
                b.cbranch(b.icmp_signed("<", I64(r), count), proceed, end)
                b.position_at_end(proceed)
            targets = columns(row_at(c, c_row, I64(r)), c_panel)
            if not epilogue:
                for x, target in zip(new[r], targets, strict=True):
                    write_vec(b, x, mem, target)
                continue
            gates = columns(row_at(gate, gate_row, I64(r)), panel)
            for q in range(vecs):
                x = b.select(b.fcmp_ordered("<", new[r][q], low), low, new[r][q])
                opened = b.fcmp_ordered(">", read_vec(b, mem, gates[q]), const(0.0))
                write_vec(b, b.select(opened, b.fmul(x, factor), const(0.0)), mem, targets[q])
        b.branch(end)
        b.position_at_end(end)
        return ctx.get_dummy_value()

    i = types.int64

    @intrinsic
    def tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        w: Any,
        w_step: Any,
        w_panel: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        depth: Any,
        start: Any,
        start_row: Any,
        floor: Any,
        gate: Any,
        gate_row: Any,
        scale: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 13, real, i, i, real), generate

    @intrinsic
    def plain_tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        w: Any,
        w_step: Any,
        w_panel: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        depth: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 11), generate

    return plain_tile if plain else tile


# 4 x 2 accumulators keep two multiply-add units busy with 16 registers, 8 x 2 with 32; both divide a block of rows.
TILE_ROWS, GRADIENT_ROWS = (4, 6) if REGISTERS == 16 else (8, 12)
# One register wide where two would reach beyond a panel that may be the last one.
WIDTHS = (2, 1) if 2 * LANES > PANEL else (2, 2)
PAIR, SINGLE = WIDTHS[0] * LANES, WIDTHS[1] * LANES
TWO_PANELS = PAIR > PANEL
pair_tile, single_tile = make_tile(TILE_ROWS, WIDTHS[0]), make_tile(TILE_ROWS, WIDTHS[1])
pair_gradient_tile = make_tile(GRADIENT_ROWS, WIDTHS[0], plain=True)
single_gradient_tile = make_tile(GRADIENT_ROWS, WIDTHS[1], plain=True)
LOWEST = float("-inf")


@kernel
def dense(
    mem: Memory,
    rows: int,
    inputs: int,
    units: int,
    x: int,
    x_row: int,
    w: int,
    w_panel: int,
    bias: int,
    out: int,
    out_row: int,
    floor: float,
    gate: int,
    gate_row: int,
    scale: float,
) -> None:
    """out = max(x @ w + bias, floor) * scale where gate > 0, else 0.     [rows, inputs] @ [inputs, units]

    `w_panel` is the distance from 16 columns of w to the next 16. Forward: floor 0 is relu, LOWEST is none. Backward: w
    is the transposed copy, gate the relu's output. A vector of zeros is no bias; a vector of ones, with gate_row 0, no
    gate. One compiled kernel serves every layer both ways.
    """
    whole = units // PAIR * PAIR
    for j in range(0, whole, PAIR):
        panel = w + j // PANEL * w_panel + j % PANEL
        for r in range(0, rows, TILE_ROWS):
            pair_tile(
                mem,
                count=min(TILE_ROWS, rows - r),
                a=x + r * x_row,
                a_row=x_row,
                a_step=1,
                w=panel,
                w_step=PANEL,
                w_panel=w_panel,
                c=out + r * out_row + j,
                c_row=out_row,
                c_panel=PANEL,
                depth=inputs,
                start=bias + j,
                start_row=0,
                floor=floor,
                gate=gate + r * gate_row + j,
                gate_row=gate_row,
                scale=scale,
            )
    if TWO_PANELS:
        for j in range(whole, units, SINGLE):
            for r in range(0, rows, TILE_ROWS):
                single_tile(
                    mem,
                    count=min(TILE_ROWS, rows - r),
                    a=x + r * x_row,
                    a_row=x_row,
                    a_step=1,
                    w=w + j // PANEL * w_panel,
                    w_step=PANEL,
                    w_panel=0,
                    c=out + r * out_row + j,
                    c_row=out_row,
                    c_panel=0,
                    depth=inputs,
                    start=bias + j,
                    start_row=0,
                    floor=floor,
                    gate=gate + r * gate_row + j,
                    gate_row=gate_row,
                    scale=scale,
                )


@kernel
def weight_gradient(
    mem: Memory,
    rows: int,
    inputs: int,
    units: int,
    x: int,
    x_row: int,
    g: int,
    g_row: int,
    out: int,
    out_row: int,
    out_panel: int,
) -> None:
    """out = transpose(x) @ g.     [inputs, rows] @ [rows, units]

    `out_row` is the distance from one line of the result to the next, `out_panel` from 16 columns to the next 16."""
    whole = units // PAIR * PAIR
    for j in range(0, whole, PAIR):
        panel = out + j // PANEL * out_panel + j % PANEL
        for i in range(0, inputs, GRADIENT_ROWS):
            pair_gradient_tile(
                mem,
                count=min(GRADIENT_ROWS, inputs - i),
                a=x + i,
                a_row=1,
                a_step=x_row,
                w=g + j,
                w_step=g_row,
                w_panel=PANEL,
                c=panel + i * out_row,
                c_row=out_row,
                c_panel=out_panel,
                depth=rows,
            )
    if TWO_PANELS:
        for j in range(whole, units, SINGLE):
            for i in range(0, inputs, GRADIENT_ROWS):
                single_gradient_tile(
                    mem,
                    count=min(GRADIENT_ROWS, inputs - i),
                    a=x + i,
                    a_row=1,
                    a_step=x_row,
                    w=g + j,
                    w_step=g_row,
                    w_panel=0,
                    c=out + j // PANEL * out_panel + i * out_row,
                    c_row=out_row,
                    c_panel=0,
                    depth=rows,
                )


@short_kernel
def column_sums(mem: Memory, rows: int, columns: int, g: int, g_row: int, out: int) -> None:
    """out = the sum of g over its rows: a bias's gradient. Four sums side by side do not wait for each other."""
    whole = rows // 4 * 4
    for j in range(0, columns, LANES):
        first = second = third = fourth = spread(0.0)
        for r in range(0, whole, 4):
            at = g + r * g_row + j
            first, second = first + load(mem, at), second + load(mem, at + g_row)
            third, fourth = third + load(mem, at + 2 * g_row), fourth + load(mem, at + 3 * g_row)
        for r in range(whole, rows):
            first = first + load(mem, g + r * g_row + j)
        store(mem, out + j, (first + second) + (third + fourth))


@short_kernel
def column_square_sums(mem: Memory, rows: int, columns: int, x: int, x_row: int, mean: int, out: int) -> None:
    """out = the sum of (x - mean) ** 2 over its rows."""
    whole = rows // 4 * 4
    for j in range(0, columns, LANES):
        middle = load(mem, mean + j)
        first = second = third = fourth = spread(0.0)
        for r in range(0, whole, 4):
            at = x + r * x_row + j
            a, b = load(mem, at) - middle, load(mem, at + x_row) - middle
            c, d = load(mem, at + 2 * x_row) - middle, load(mem, at + 3 * x_row) - middle
            first, second, third, fourth = first + a * a, second + b * b, third + c * c, fourth + d * d
        for r in range(whole, rows):
            off = load(mem, x + r * x_row + j) - middle
            first = first + off * off
        store(mem, out + j, (first + second) + (third + fourth))


@short_kernel
def transpose_panels(mem: Memory, inputs: int, units: int, first: int, columns: int, w: int, out: int) -> None:
    """Columns first .. first + columns of weights [inputs, units], whose panels begin at w, as rows of their transposed
    copy [units, inputs], which the data gradient multiplies by."""
    for j in range(0, columns, LANES):
        panel = w + j // PANEL * PANEL * inputs + j % PANEL
        for i in range(0, inputs, LANES):
            target = out + i // PANEL * PANEL * units + i % PANEL + (first + j) * PANEL
            transpose_block(mem, inputs - i, panel + i * PANEL, PANEL, target, PANEL)
