"""The sums of Winograd's minimal filtering, along both axes of a tile at once.

A convolution of a window of three taps is a product of polynomials, and a product of polynomials is known by its values at
enough points. Six points give four neighbouring results by six multiplications instead of twelve: 0, infinity, and NEAR, -NEAR,
FAR, -FAR. These keep the rounding errors at about four times those of the direct sums; the usual 1, -1, 2, -2 do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from kdsl.runtime.simd import FLAGS, I64, Memory, const, fma, read_vec, real, splat, write_vec

NEAR, FAR = 2 / 3, 4 / 3
TILE, TAPS = 4, 3  # results along an axis, and taps
INPUTS = TILE + TAPS - 1  # what they are made of; as many as products


def plus(b: Any, x: Any, y: Any) -> Any:
    return b.fadd(x, y, flags=FLAGS)


def times(b: Any, x: Any, number: float) -> Any:
    return b.fmul(x, const(number), flags=FLAGS)


def more(b: Any, x: Any, number: float, y: Any) -> Any:
    """x * number + y"""
    return fma(b, x, const(number), y)


def sum_and_difference(b: Any, x: Any, y: Any) -> list[Any]:
    return [b.fadd(x, y, flags=FLAGS), b.fsub(x, y, flags=FLAGS)]


def both_ways(b: Any, x: Any, y: Any, number: float) -> list[Any]:
    """x + number * y and x - number * y"""
    return [more(b, y, number, x), more(b, y, -number, x)]


def inputs_to_parts(b: Any, x: list[Any]) -> list[Any]:
    """Six neighbours -> the six sums that are multiplied, one for each point."""
    near, far = NEAR**2, FAR**2
    pairs = []
    for point, other in ((NEAR, far), (FAR, near)):
        pairs += both_ways(b, more(b, x[2], -other, x[4]), more(b, x[1], -other, x[3]), point)
    first = more(b, x[0], near * far, more(b, x[2], -near - far, x[4]))
    last = more(b, x[1], near * far, more(b, x[3], -near - far, x[5]))
    return [first, *pairs, last]


def weights_to_parts(b: Any, w: list[Any]) -> list[Any]:
    """Three taps -> what the six sums are multiplied by: the polynomial's values, over what the sums have too much."""
    near, far = NEAR**2, FAR**2
    pairs = []
    for square, other in ((near, far), (far, near)):
        over = 1 / (2 * square * (square - other))
        pairs += both_ways(b, times(b, more(b, w[2], square, w[0]), over), w[1], square**0.5 * over)
    return [times(b, w[0], 1 / (near * far)), *pairs, w[2]]


def parts_to_results(b: Any, p: list[Any]) -> list[Any]:
    """Six products -> four neighbouring results."""
    (even, odd), (even_far, odd_far) = sum_and_difference(b, p[1], p[2]), sum_and_difference(b, p[3], p[4])
    return [
        plus(b, p[0], plus(b, even, even_far)),
        more(b, odd, NEAR, times(b, odd_far, FAR)),
        more(b, even, NEAR**2, times(b, even_far, FAR**2)),
        more(b, odd, NEAR**3, more(b, odd_far, FAR**3, p[5])),
    ]


def results_to_parts(b: Any, g: list[Any]) -> list[Any]:
    """The way back: the gradients of four results -> those of the six products."""
    pairs = []
    for point in (NEAR, FAR):
        pairs += both_ways(b, more(b, g[2], point**2, g[0]), more(b, g[3], point**2, g[1]), point)
    return [g[0], *pairs, g[3]]


def parts_to_weights(b: Any, p: list[Any]) -> list[Any]:
    """The way back: six sums over all tiles -> the gradients of three taps."""
    near, far = NEAR**2, FAR**2
    found = [times(b, p[0], 1 / (near * far)), const(0.0), p[5]]
    for square, other, plus_part, minus_part in ((near, far, p[1], p[2]), (far, near, p[3], p[4])):
        over = 1 / (2 * square * (square - other))
        even, odd = sum_and_difference(b, plus_part, minus_part)
        factors = [over, square**0.5 * over, square * over]
        found = [more(b, x, f, y) for x, f, y in zip((even, odd, even), factors, found, strict=True)]
    return found


def make_sums(along: Callable[[Any, list[Any]], list[Any]], size: int) -> Any:
    """An intrinsic: `size` x `size` places of LANES numbers -> what `along` makes of them along y, then along x.

    Reads from place (first_y, first_x) on of a picture of size_y x size_x places; those outside of it are read from `zeros`.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, *places, out, out_line, out_place = args
        for i, row in enumerate(summed(b, along, size, mem, *places)):
            for j, value in enumerate(row):
                write_vec(b, value, mem, at_place(b, out, out_line, i, out_place, j))
        return ctx.get_dummy_value()

    i = types.int64

    @intrinsic
    def sums(
        typingctx: Any,
        mem: Any,
        x: Any,
        first_y: Any,
        first_x: Any,
        size_y: Any,
        size_x: Any,
        line: Any,
        place: Any,
        zeros: Any,
        out: Any,
        out_line: Any,
        out_place: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 11), generate

    return sums


def summed(
    b: Any,
    along: Callable[[Any, list[Any]], list[Any]],
    size: int,
    mem: Any,
    x: Any,
    first_y: Any,
    first_x: Any,
    size_y: Any,
    size_x: Any,
    line: Any,
    place: Any,
    zeros: Any,
) -> list[list[Any]]:
    def inside(first: Any, most: Any) -> list[Any]:
        return [b.icmp_unsigned("<", b.add(first, I64(n)), most) for n in range(size)]

    lines, places = inside(first_y, size_y), inside(first_x, size_x)
    corner = b.add(x, b.add(b.mul(first_y, line), b.mul(first_x, place)))
    columns = []
    for j in range(size):
        column = []
        for i in range(size):
            at = b.select(b.and_(lines[i], places[j]), at_place(b, corner, line, i, place, j), zeros)
            column.append(read_vec(b, mem, at))
        columns.append(along(b, column))
    return [along(b, list(row)) for row in zip(*columns, strict=True)]


def at_place(b: Any, at: Any, line: Any, i: int, place: Any, j: int) -> Any:
    return b.add(at, b.add(b.mul(line, I64(i)), b.mul(place, I64(j))))


sum_inputs = make_sums(inputs_to_parts, INPUTS)
sum_weights = make_sums(weights_to_parts, TAPS)
sum_gradients = make_sums(results_to_parts, TILE)
sum_weight_gradients = make_sums(parts_to_weights, INPUTS)


@intrinsic
def finish_results(
    typingctx: Any,
    mem: Any,
    parts: Any,
    part: Any,
    start: Any,
    out: Any,
    out_line: Any,
    out_place: Any,
    lines: Any,
    places: Any,
    floor: Any,
    gate: Any,
    gate_line: Any,
    gate_place: Any,
    scale: Any,
) -> Any:
    """The results of a tile from its products, and the register tile's epilogue. `lines` x `places` of them are stored."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, parts, part, start, out, out_line, out_place, lines, places = args[:9]
        floor, gate, gate_line, gate_place, scale = args[9:]
        zero, all_of_them = I64(0), I64(INPUTS)
        around = (zero, zero, all_of_them, all_of_them, b.mul(part, all_of_them), part, zero)
        rows = summed(b, parts_to_results, INPUTS, mem, parts, *around)
        first, low, factor = read_vec(b, mem, start), splat(b, floor), splat(b, scale)
        end = b.append_basic_block("end")
        for i, row in enumerate(rows):
            following = b.append_basic_block("line")
            for j, total in enumerate(row):
                proceed = b.append_basic_block("place")
                if j == 0:
                    b.cbranch(b.icmp_signed("<", I64(i), lines), proceed, end)
                else:
                    b.cbranch(b.icmp_signed("<", I64(j), places), proceed, following)
                b.position_at_end(proceed)
                x = plus(b, total, first)
                x = b.select(b.fcmp_ordered("<", x, low), low, x)
                gates = read_vec(b, mem, at_place(b, gate, gate_line, i, gate_place, j))
                x = b.select(b.fcmp_ordered(">", gates, const(0.0)), b.fmul(x, factor), const(0.0))
                write_vec(b, x, mem, at_place(b, out, out_line, i, out_place, j))
            b.branch(following)
            b.position_at_end(following)
        b.branch(end)
        b.position_at_end(end)
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(Memory, *[i] * 8, real, i, i, i, real), generate
