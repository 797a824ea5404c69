"""Kernels that move numbers, or work along any axis."""

from __future__ import annotations

from kdsl.runtime.numba_kernel import Double, kernel, short_kernel
from kdsl.runtime.simd import LANES, Memory, padded
from kdsl.runtime.simd_functions import exp, lane_sum, log, maximum, spread
from kdsl.runtime.simd_memory import load, place_in, prefetch, row_at, store, store_head, transpose_part


@short_kernel
def fetch_ahead(order: int, first: int, rows: int, stop: int, data: int, size: int, row: int) -> None:
    """Asks for rows that will be read soon, order[first] and those behind it, so that they come meanwhile: for `size` bytes of
    each, from one row to the next there are `row` bytes."""
    for r in range(first, min(first + rows, stop)):
        at = data + row_at(order, r) * row
        for line in range(at, at + size, 64):
            prefetch(line)


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
        source, target, a, b = x + r * x_row, out + r * out_row, 0, 0
        left = size
        while left > 0:
            run = min(width - a, out_width - b)
            for c in range(0, run, LANES):
                store_head(mem, target + b + c, load(mem, source + a + c), run - c)
            left, a, b = left - run, a + run, b + run
            if a == width:
                source, a = source + step, 0
            if b == out_width:
                for c in range(b, padded(out_width), LANES):
                    store_head(mem, target + c, spread(0.0), padded(out_width) - c)
                target, b = target + out_step, 0


@short_kernel
def clear(mem: Memory, rows: int, size: int, out: int) -> None:
    """Zeros."""
    for c in range(0, rows * size, LANES):
        store(mem, out + c, spread(0.0))


@kernel
def scatter_add(
    mem: Memory,
    rows: int,
    outer: int,
    positions: int,
    width: int,
    g: int,
    g_row: int,
    g_outer: int,
    g_step: int,
    index: int,
    index_row: int,
    out: int,
    out_row: int,
    out_outer: int,
    out_step: int,
    limit: int,
) -> None:
    """out[r, o, index[r, p], c] += g[r, o, p, c], one position after the other. Places are below `limit`."""
    for r in range(rows):
        for p in range(positions):
            place = out + r * out_row + place_in(mem[index + r * index_row + p], limit) * out_step
            for o in range(outer):
                source, target = g + r * g_row + o * g_outer + p * g_step, place + o * out_outer
                for c in range(0, width, LANES):
                    total = load(mem, target + c) + load(mem, source + c)
                    store_head(mem, target + c, total, width - c)


@kernel
def turn_matrix(mem: Memory, height: int, width: int, x: int, x_line: int, out: int, out_line: int) -> None:
    """A matrix [height, width] transposed: its columns become lines."""
    for c in range(0, width, LANES):
        for n in range(0, padded(height), LANES):
            transpose_part(mem, height - n, width - c, x + n * x_line + c, x_line, out + c * out_line + n, out_line)


@short_kernel
def deliver(
    mem: Memory, rows: int, size: int, x: int, x_row: int, width: int, step: int, result: Memory, at: int
) -> None:
    """The `size` numbers of each row, without padding, to the caller's array from row `at` on."""
    for r in range(rows):
        for i in range(size):
            result[(at + r) * size + i] = mem[x + r * x_row + i // width * step + i % width]


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
            for i in range(0, inner, LANES):
                at = x + r * x_row + o * count * inner + i
                to = out + r * out_row + o * count * inner + i
                high = load(mem, at)
                for k in range(1, count):
                    high = maximum(high, load(mem, at + k * inner))
                total = spread(0.0)
                for k in range(count):
                    total = total + exp(load(mem, at + k * inner) - high)
                for k in range(count):
                    shifted = load(mem, at + k * inner) - high
                    value = shifted - log(total) if logarithm else exp(shifted) / total
                    store_head(mem, to + k * inner, value, inner - i)


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
            for i in range(0, inner, LANES):
                place = o * count * inner + i
                upstream, result, to = g + r * g_row + place, y + r * y_row + place, out + r * out_row + place
                share = spread(0.0)
                for k in range(count):
                    term = load(mem, upstream + k * inner)
                    share = share + (term if logarithm else term * load(mem, result + k * inner))
                for k in range(count):
                    term, value = load(mem, upstream + k * inner), load(mem, result + k * inner)
                    slope = term - exp(value) * share if logarithm else value * (term - share)
                    store_head(mem, to + k * inner, slope, inner - i)
