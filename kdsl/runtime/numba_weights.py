"""Copies of weights in other arrangements, and sums of what blocks and gradients give."""

from __future__ import annotations

from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.simd import LANES, PANEL, Memory, padded
from kdsl.runtime.simd_memory import load, store, transpose_block


@kernel
def panels_of_lines(mem: Memory, inputs: int, units: int, first: int, lines: int, w: int, out: int) -> None:
    """Lines first .. first + lines of a matrix [inputs, units], which begin at w, in the copy in panels of 16 columns."""
    columns = padded(units)
    for i in range(lines):
        for j in range(0, columns, LANES):
            target = out + j // PANEL * PANEL * inputs + (first + i) * PANEL + j % PANEL
            store(mem, target, load(mem, w + i * columns + j))


@kernel
def transposed_of_lines(mem: Memory, inputs: int, units: int, first: int, lines: int, w: int, out: int) -> None:
    """The same lines in the transposed copy [units, inputs], which lies in panels of 16 of the matrix's lines."""
    columns = padded(units)
    for i in range(0, lines, LANES):
        panel = out + (first + i) // PANEL * PANEL * columns + (first + i) % PANEL
        for j in range(0, columns, LANES):
            transpose_block(mem, lines - i, w + i * columns + j, columns, panel + j * PANEL, PANEL)


@kernel
def add_numbers(mem: Memory, count: int, x: int, out: int) -> None:
    """out += x"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, out + i) + load(mem, x + i))


@kernel
def copy_numbers(mem: Memory, count: int, x: int, out: int) -> None:
    """out = x"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, x + i))


@kernel
def add_blocks(mem: Memory, blocks: int, step: int, count: int, x: int, out: int) -> None:
    """out = the sum of the blocks' shares, `step` numbers apart, in the blocks' order."""
    for i in range(0, count, LANES):
        total = load(mem, x + i)
        for block in range(1, blocks):
            total = total + load(mem, x + block * step + i)
        store(mem, out + i, total)
