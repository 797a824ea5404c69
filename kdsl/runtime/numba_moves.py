"""Kernels that move numbers, or work on any axis: what is rare enough to go number by number."""

from __future__ import annotations

import math

from kdsl.runtime.numba_kernel import Double, kernel
from kdsl.runtime.simd import LANES, Memory, padded
from kdsl.runtime.simd_functions import lane_sum, spread
from kdsl.runtime.simd_memory import load, store


@kernel
def relayout(
    mem: Memory,
    rows: int,
    size: int,
    x: int,
    x_row: int,
    width: int,
    step: int,
    out: int,
    out_row: int,
    out_width: int,
    out_step: int,
) -> None:
    """The `size` numbers of each row, from lines of `width` into lines of `out_width`; the padding becomes zeros."""
    for r in range(rows):
        for c in range(0, out_row, LANES):
            store(mem, out + r * out_row + c, spread(0.0))
        for i in range(size):
            source = x + r * x_row + i // width * step + i % width
            mem[out + r * out_row + i // out_width * out_step + i % out_width] = mem[source]


@kernel
def deliver(
    mem: Memory, rows: int, size: int, x: int, x_row: int, width: int, step: int, result: Memory, at: int
) -> None:
    """The `size` numbers of each row, without padding, to the caller's array from row `at` on."""
    for r in range(rows):
        for i in range(size):
            result[(at + r) * size + i] = mem[x + r * x_row + i // width * step + i % width]


@kernel
def add_numbers(mem: Memory, count: int, x: int, out: int) -> None:
    """out += x"""
    for i in range(0, count, LANES):
        store(mem, out + i, load(mem, out + i) + load(mem, x + i))


@kernel
def sum_of_squares(mem: Memory, count: int, x: int) -> Double:
    """The sum of the squares of `count` numbers, padding included."""
    result = 0.0
    for i in range(0, count, LANES):
        x_ = load(mem, x + i)
        result += lane_sum(x_ * x_)
    return result


@kernel
def softmax_along(
    mem: Memory,
    rows: int,
    outer: int,
    count: int,
    inner: int,
    x: int,
    x_row: int,
    out: int,
    out_row: int,
    logarithm: int,
) -> None:
    """Softmax, or its logarithm, over the middle one of three axes that lie without gaps."""
    for r in range(rows):
        for c in range(outer * count * inner, padded(outer * count * inner)):
            mem[out + r * out_row + c] = 0.0
        for o in range(outer):
            for i in range(inner):
                at = r * x_row + o * count * inner + i
                to = r * out_row + o * count * inner + i
                high = mem[x + at]
                for k in range(count):
                    high = mem[x + at + k * inner] if not mem[x + at + k * inner] <= high else high
                sum_of = 0.0
                for k in range(count):
                    sum_of += math.exp(mem[x + at + k * inner] - high)
                for k in range(count):
                    shifted = mem[x + at + k * inner] - high
                    if logarithm:
                        mem[out + to + k * inner] = shifted - math.log(sum_of)
                    else:
                        mem[out + to + k * inner] = math.exp(shifted) / sum_of


@kernel
def softmax_along_gradient(
    mem: Memory,
    rows: int,
    outer: int,
    count: int,
    inner: int,
    g: int,
    g_row: int,
    y: int,
    y_row: int,
    out: int,
    out_row: int,
    logarithm: int,
) -> None:
    """The gradient of `softmax_along`, whose result is y."""
    for r in range(rows):
        for c in range(outer * count * inner, padded(outer * count * inner)):
            mem[out + r * out_row + c] = 0.0
        for o in range(outer):
            for i in range(inner):
                place = o * count * inner + i
                share = 0.0
                for k in range(count):
                    upstream = mem[g + r * g_row + place + k * inner]
                    share += upstream if logarithm else upstream * mem[y + r * y_row + place + k * inner]
                for k in range(count):
                    upstream, value = mem[g + r * g_row + place + k * inner], mem[y + r * y_row + place + k * inner]
                    if logarithm:
                        mem[out + r * out_row + place + k * inner] = upstream - math.exp(value) * share
                    else:
                        mem[out + r * out_row + place + k * inner] = value * (upstream - share)
