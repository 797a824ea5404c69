"""Means and metrics: each kernel gives the sum over its lines; the step divides by the rows of the batch."""

from __future__ import annotations

from kdsl.runtime.numba_kernel import Double, Ints, kernel
from kdsl.runtime.simd import LANES, Memory
from kdsl.runtime.simd_functions import head, lane_sum, spread
from kdsl.runtime.simd_memory import load, row_at


@kernel
def total(mem: Memory, rows: int, width: int, x: int, x_row: int) -> Double:
    """The sum of every number."""
    result = 0.0
    for r in range(rows):
        line = spread(0.0)
        for c in range(0, width, LANES):
            line = line + head(load(mem, x + r * x_row + c), width - c, 0.0)
        result += lane_sum(line)
    return result


@kernel
def whole_numbers(mem: Memory, rows: int, width: int, x: int, x_row: int, result: Ints) -> None:
    """Computed labels as a list of whole numbers, without padding."""
    for r in range(rows):
        for c in range(width):
            result[r * width + c] = int(mem[x + r * x_row + c])


@kernel
def largest(mem: Memory, width: int, x: int) -> int:
    """The place of the largest number of a line: the first of equal ones, a NaN before all."""
    best = 0
    for c in range(1, width):
        if mem[x + best] == mem[x + best] and not mem[x + c] <= mem[x + best]:
            best = c
    return best


@kernel
def sparse_accuracy(
    mem: Memory, labels: Ints, order: int, first: int, rows: int, lines: int, width: int, z: int, z_row: int
) -> Double:
    """How many lines have their largest score at the label."""
    hits = 0
    for r in range(rows):
        label = labels[row_at(order, first + r // lines) * lines + r % lines]
        hits += largest(mem, width, z + r * z_row) == label
    return hits


@kernel
def categorical_accuracy(
    mem: Memory, rows: int, width: int, z: int, z_row: int, target: int, target_row: int
) -> Double:
    """How many lines have their largest score where the target is largest."""
    hits = 0
    for r in range(rows):
        hits += largest(mem, width, z + r * z_row) == largest(mem, width, target + r * target_row)
    return hits


@kernel
def binary_accuracy(mem: Memory, rows: int, width: int, z: int, z_row: int, target: int, target_row: int) -> Double:
    """How many scores are above 0 where the target is 1, and not above where it is 0."""
    hits = 0
    for r in range(rows):
        for c in range(width):
            above = 1.0 if mem[z + r * z_row + c] > 0.0 else 0.0
            hits += above == mem[target + r * target_row + c]
    return hits


@kernel
def among_largest(mem: Memory, width: int, x: int, label: int, k: int) -> int:
    """1 where fewer than k numbers of a line are larger than that of the label; a NaN counts as larger."""
    larger = 0
    for c in range(width):
        larger += not mem[x + c] <= mem[x + label]
    return 1 if larger < k else 0


@kernel
def sparse_top_k(
    mem: Memory, labels: Ints, order: int, first: int, rows: int, lines: int, width: int, z: int, z_row: int, k: int
) -> Double:
    """How many lines have the label's score among the k largest."""
    hits = 0
    for r in range(rows):
        label = labels[row_at(order, first + r // lines) * lines + r % lines]
        hits += among_largest(mem, width, z + r * z_row, label, k)
    return hits


@kernel
def categorical_top_k(
    mem: Memory, rows: int, width: int, z: int, z_row: int, target: int, target_row: int, k: int
) -> Double:
    """How many lines have, where the target is largest, one of the k largest scores."""
    hits = 0
    for r in range(rows):
        hits += among_largest(mem, width, z + r * z_row, largest(mem, width, target + r * target_row), k)
    return hits
