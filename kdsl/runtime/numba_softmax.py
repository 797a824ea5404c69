"""Softmax, its logarithm, and cross-entropy, line by line along the last axis.

A line is one row of the batch, or one of the `lines` that a row of several axes has. Padding behind `width` is written as
zeros, and never counts.
"""

from __future__ import annotations

import math

from kdsl.runtime.numba_kernel import Double, Ints, kernel
from kdsl.runtime.simd import LANES, Memory, padded
from kdsl.runtime.simd_functions import exp, head, lane_max, lane_sum, maximum, spread
from kdsl.runtime.simd_memory import load, row_at, store


@kernel
def line_max(mem: Memory, width: int, x: int) -> float:
    """The largest number of one line."""
    low = -math.inf
    top = spread(low)
    for c in range(0, width, LANES):
        top = maximum(top, head(load(mem, x + c), width - c, low))
    largest: float = lane_max(top)
    return largest


@kernel
def raised(mem: Memory, width: int, x: int, high: float, out: int) -> float:
    """out = exp(x - high), for one line -> its sum."""
    total = spread(0.0)
    for c in range(0, padded(width), LANES):
        e = head(exp(load(mem, x + c) - high), width - c, 0.0)
        total = total + e
        store(mem, out + c, e)
    result: float = lane_sum(total)
    return result


@kernel
def softmax(mem: Memory, rows: int, width: int, x: int, x_row: int, out: int, out_row: int) -> None:
    for r in range(rows):
        at = out + r * out_row
        total = raised(mem, width, x + r * x_row, line_max(mem, width, x + r * x_row), at)
        for c in range(0, padded(width), LANES):
            store(mem, at + c, load(mem, at + c) / total)


@kernel
def log_softmax(mem: Memory, rows: int, width: int, x: int, x_row: int, out: int, out_row: int) -> None:
    for r in range(rows):
        at, line = out + r * out_row, x + r * x_row
        high = line_max(mem, width, line)
        total = math.log(raised(mem, width, line, high, at))
        for c in range(0, padded(width), LANES):
            store(mem, at + c, head(load(mem, line + c) - high - total, width - c, 0.0))


@kernel
def softmax_gradient(
    mem: Memory, rows: int, width: int, g: int, g_row: int, y: int, y_row: int, out: int, out_row: int
) -> None:
    """out = y * (g - sum(g * y))"""
    for r in range(rows):
        line, result = g + r * g_row, y + r * y_row
        total = spread(0.0)
        for c in range(0, width, LANES):
            total = total + load(mem, line + c) * load(mem, result + c)
        share = lane_sum(total)
        for c in range(0, padded(width), LANES):
            store(mem, out + r * out_row + c, load(mem, result + c) * (load(mem, line + c) - share))


@kernel
def log_softmax_gradient(
    mem: Memory, rows: int, width: int, g: int, g_row: int, y: int, y_row: int, out: int, out_row: int
) -> None:
    """out = g - exp(y) * sum(g)"""
    for r in range(rows):
        line, result = g + r * g_row, y + r * y_row
        total = spread(0.0)
        for c in range(0, width, LANES):
            total = total + load(mem, line + c)
        share = lane_sum(total)
        for c in range(0, padded(width), LANES):
            value = load(mem, line + c) - exp(load(mem, result + c)) * share
            store(mem, out + r * out_row + c, head(value, width - c, 0.0))


@kernel
def sparse_cross_entropy(
    mem: Memory,
    labels: Ints,
    order: int,
    first: int,
    rows: int,
    lines: int,
    width: int,
    z: int,
    z_row: int,
    smoothing: float,
    scale: float,
    gradient: int,
    gradient_row: int,
    work: int,
) -> Double:
    """Cross-entropy of logits z with the labels of data rows first, first + 1, ... -> the sum over the lines.

    gradient = (softmax(z) - target) * scale, where the target is 1 at the label, smoothed; -1 leaves it out.
    `work` is one line of scratch.
    """
    loss = 0.0
    for r in range(rows):
        line = z + r * z_row
        out = gradient + r * gradient_row if gradient >= 0 else work
        label = labels[row_at(order, first + r // lines) * lines + r % lines]
        high = line_max(mem, width, line)
        total = raised(mem, width, line, high, out)
        base = high + math.log(total)
        loss += (1.0 - smoothing) * (base - mem[line + label])
        if smoothing > 0.0:
            logits = spread(0.0)
            for c in range(0, width, LANES):
                logits = logits + head(load(mem, line + c), width - c, 0.0)
            loss += smoothing * (base - lane_sum(logits) / width)
        if gradient >= 0:
            factor, spread_share = scale / total, scale * smoothing / width
            for c in range(0, padded(width), LANES):
                store(mem, out + c, head(load(mem, out + c) * factor - spread_share, width - c, 0.0))
            mem[out + label] -= scale * (1.0 - smoothing)
    return loss


@kernel
def cross_entropy(
    mem: Memory,
    rows: int,
    width: int,
    z: int,
    z_row: int,
    target: int,
    target_row: int,
    smoothing: float,
    scale: float,
    gradient: int,
    gradient_row: int,
    work: int,
) -> Double:
    """As `sparse_cross_entropy`, with a share for every class as target: gradient = (softmax(z) * sum(t) - t) * scale."""
    loss = 0.0
    for r in range(rows):
        line, wanted = z + r * z_row, target + r * target_row
        out = gradient + r * gradient_row if gradient >= 0 else work
        high = line_max(mem, width, line)
        total = raised(mem, width, line, high, out)
        base = high + math.log(total)
        parts, shares = spread(0.0), spread(0.0)
        for c in range(0, width, LANES):
            share = head(load(mem, wanted + c) * (1.0 - smoothing) + smoothing / width, width - c, 0.0)
            parts = parts + share * head(base - load(mem, line + c), width - c, 0.0)
            shares = shares + share
        loss += lane_sum(parts)
        if gradient >= 0:
            factor = lane_sum(shares) / total
            for c in range(0, padded(width), LANES):
                share = load(mem, wanted + c) * (1.0 - smoothing) + smoothing / width
                store(mem, out + c, head((load(mem, out + c) * factor - share) * scale, width - c, 0.0))
    return loss


@kernel
def negative_log_likelihood(
    mem: Memory,
    rows: int,
    lines: int,
    width: int,
    y: int,
    y_row: int,
    target: int,
    target_row: int,
    smoothing: float,
    out: int,
    out_row: int,
) -> None:
    """out = -sum((target * (1 - smoothing) + smoothing / width) * y): one number for each line."""
    for r in range(rows):
        total = spread(0.0)
        for c in range(0, width, LANES):
            share = load(mem, target + r * target_row + c) * (1.0 - smoothing) + smoothing / width
            total = total - head(share * load(mem, y + r * y_row + c), width - c, 0.0)
        mem[out + r // lines * out_row + r % lines] = lane_sum(total)


@kernel
def sparse_negative_log_likelihood(
    mem: Memory,
    labels: Ints,
    order: int,
    first: int,
    rows: int,
    lines: int,
    width: int,
    y: int,
    y_row: int,
    smoothing: float,
    out: int,
    out_row: int,
) -> None:
    """out = -(1 - smoothing) * y[label] - smoothing * mean(y): one number for each line."""
    for r in range(rows):
        line = y + r * y_row
        label = labels[row_at(order, first + r // lines) * lines + r % lines]
        total = spread(0.0)
        for c in range(0, width, LANES):
            total = total + head(load(mem, line + c), width - c, 0.0)
        value = (smoothing - 1.0) * mem[line + label] - smoothing * lane_sum(total) / width
        mem[out + r // lines * out_row + r % lines] = value


@kernel
def negative_log_likelihood_gradient(
    mem: Memory,
    rows: int,
    lines: int,
    width: int,
    g: int,
    g_row: int,
    target: int,
    target_row: int,
    slope: float,
    offset: float,
    out: int,
    out_row: int,
) -> None:
    """out = -g * (target * slope + offset), g having one number for each line."""
    for r in range(rows):
        upstream = mem[g + r // lines * g_row + r % lines]
        for c in range(0, padded(width), LANES):
            share = load(mem, target + r * target_row + c) * slope + offset
            store(mem, out + r * out_row + c, head(share * -upstream, width - c, 0.0))


@kernel
def sparse_negative_log_likelihood_gradient(
    mem: Memory,
    labels: Ints,
    order: int,
    first: int,
    rows: int,
    lines: int,
    width: int,
    g: int,
    g_row: int,
    smoothing: float,
    out: int,
    out_row: int,
) -> None:
    """out = -g * (smoothing / width, and 1 - smoothing more at the label)."""
    for r in range(rows):
        upstream = mem[g + r // lines * g_row + r % lines]
        label = labels[row_at(order, first + r // lines) * lines + r % lines]
        for c in range(0, padded(width), LANES):
            store(mem, out + r * out_row + c, head(spread(-upstream * smoothing / width), width - c, 0.0))
        mem[out + r * out_row + label] -= upstream * (1.0 - smoothing)
