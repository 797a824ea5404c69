"""The matrix products of a dense layer: loops that lead the register tile over the matrices.

Weights [inputs, units] are kept in panels of 16 columns, [units / 16][inputs][16], so that the tile reads them in one
straight run. Everything else is row by row; `_row` is the distance from one row to the next.
"""

from __future__ import annotations

from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.numba_tile import make_tile
from kdsl.runtime.simd import LANES, PANEL, REGISTERS, Memory
from kdsl.runtime.simd_functions import maximum, spread, where
from kdsl.runtime.simd_memory import load, store, transpose_block

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


@short_kernel
def add_shares(
    mem: Memory,
    rows: int,
    units: int,
    shares: int,
    x: int,
    x_row: int,
    x_share: int,
    bias: int,
    out: int,
    out_row: int,
    floor: float,
    gate: int,
    gate_row: int,
    scale: float,
) -> None:
    """out = max(bias + the sum of x's shares, floor) * scale where gate > 0, else 0: what `dense` gives, of a product that was
    made in shares, `x_share` numbers apart."""
    for r in range(rows):
        for j in range(0, units, LANES):
            total = load(mem, bias + j)
            for share in range(shares):
                total = total + load(mem, x + share * x_share + r * x_row + j)
            opened = load(mem, gate + r * gate_row + j) > 0.0
            store(mem, out + r * out_row + j, where(opened, maximum(total, floor) * scale, 0.0))


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
