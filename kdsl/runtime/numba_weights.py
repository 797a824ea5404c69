"""Copies of weights in other arrangements, and sums of what blocks and gradients give."""

from __future__ import annotations

from kdsl.runtime.numba_kernel import kernel, short_kernel
from kdsl.runtime.simd import LANES, PANEL, Memory, padded
from kdsl.runtime.simd_functions import spread
from kdsl.runtime.simd_memory import load, place_in, store, transpose_block


@short_kernel
def panels_of_lines(mem: Memory, inputs: int, units: int, first: int, lines: int, w: int, out: int) -> None:
    """Lines first .. first + lines of a matrix [inputs, units], which begin at w, in the copy in panels of 16 columns."""
    columns = padded(units)
    for i in range(lines):
        for j in range(0, columns, LANES):
            target = out + j // PANEL * PANEL * inputs + (first + i) * PANEL + j % PANEL
            store(mem, target, load(mem, w + i * columns + j))


@short_kernel
def transposed_of_lines(mem: Memory, inputs: int, units: int, first: int, lines: int, w: int, out: int) -> None:
    """The same lines in the transposed copy [units, inputs], which lies in panels of 16 of the matrix's lines."""
    columns = padded(units)
    for i in range(0, lines, LANES):
        panel = out + (first + i) // PANEL * PANEL * columns + (first + i) % PANEL
        for j in range(0, columns, LANES):
            transpose_block(mem, lines - i, w + i * columns + j, columns, panel + j * PANEL, PANEL)


@short_kernel
def add_numbers(mem: Memory, count: int, x: int, out: int) -> None:
    """out += x"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, out + i) + load(mem, x + i))


@short_kernel
def scale_numbers(mem: Memory, count: int, out: int, factor: float) -> None:
    """out *= factor"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, out + i) * factor)


@short_kernel
def copy_numbers(mem: Memory, count: int, x: int, out: int) -> None:
    """out = x"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, x + i))


@kernel
def table_gradient(
    mem: Memory,
    rows: int,
    positions: int,
    columns: int,
    g: int,
    g_row: int,
    g_step: int,
    index: int,
    index_row: int,
    limit: int,
    first: int,
    lines: int,
    out: int,
) -> None:
    """Lines first .. first + lines of out[index[r, p]] += g[r, p]: the gradient of a table of `limit` lines, one position
    after the other."""
    for i in range(0, lines * columns, LANES):
        store(mem, out + i, spread(0.0))
    for r in range(rows):
        for p in range(positions):
            line = place_in(mem[index + r * index_row + p], limit) - first
            if 0 <= line < lines:
                target, source = out + line * columns, g + r * g_row + p * g_step
                for c in range(0, columns, LANES):
                    store(mem, target + c, load(mem, target + c) + load(mem, source + c))


@short_kernel
def add_blocks(mem: Memory, blocks: int, step: int, count: int, x: int, out: int) -> None:
    """out = the sum of the blocks' shares, `step` numbers apart, in the blocks' order."""
    for i in range(0, count, LANES):
        total = load(mem, x + i)
        for block in range(1, blocks):
            total = total + load(mem, x + block * step + i)
        store(mem, out + i, total)
