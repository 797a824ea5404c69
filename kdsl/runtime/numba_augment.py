"""Random changes of training images, drawn for each row of a batch; and rows mixed with one another.

Element [r, i, j, c] of the operand lies at x + r * x_row + i * x_line + j * x_place + c; in the result the places of a line lie
side by side. `start` is the number of the block's first row in the batch.
"""

from __future__ import annotations

import math

from numba.extending import register_jitable

from kdsl.runtime.numba_kernel import Double, kernel
from kdsl.runtime.simd import Memory


@register_jitable
def row_draw(key: int, at: int) -> float:
    """Draw number `at` of a random operation: from 0 up to, not including, 1."""
    h = ((at * 0x9E3779B1) ^ key) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return float((h ^ (h >> 16)) >> 8) / 16777216.0


@register_jitable
def either_way(key: int, at: int) -> float:
    """The same draw from -1 to 1."""
    share: float = row_draw(key, at)
    return 2.0 * share - 1.0


@register_jitable
def reflected(place: int, size: int) -> int:
    """A place outside of 0 .. size - 1 as the one that it mirrors: d c b a | a b c d | d c b a."""
    place = place % (2 * size)
    return place if place < size else 2 * size - 1 - place


@register_jitable
def clear_behind(mem: Memory, at: int, end: int) -> None:
    """Zeros in the padding of a line."""
    for c in range(at, end):
        mem[c] = 0.0


@kernel
def random_flip(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    axis: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out = x, or with probability one half x with an axis reversed."""
    for r in range(rows):
        turned = row_draw(key, start + r) < 0.5
        for i in range(height):
            from_line = height - 1 - i if turned and axis == 0 else i
            source, target = x + r * x_row + from_line * x_line, out + r * out_row + i * out_line
            step = x_place
            if turned and axis == 1:
                source, step = source + (width - 1) * x_place, -x_place
            for j in range(width):
                for c in range(channels):
                    mem[target + j * channels + c] = mem[source + j * step + c]
            clear_behind(mem, target + width * channels, target + width * channels + padding)


@kernel
def random_crop(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    pad: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out[i, j] = x[i + a, j + b], zero outside of x, with a and b from -pad to pad."""
    for r in range(rows):
        down = int(row_draw(key, 2 * (start + r)) * (2 * pad + 1)) - pad
        right = int(row_draw(key, 2 * (start + r) + 1) * (2 * pad + 1)) - pad
        first, last = min(width, max(0, -right)), max(0, min(width, width - right))
        for i in range(height):
            target = out + r * out_row + i * out_line
            end = target + width * channels + padding
            if i + down < 0 or i + down >= height or first >= last:
                clear_behind(mem, target, end)
                continue
            source = x + r * x_row + (i + down) * x_line + right * x_place
            clear_behind(mem, target, target + first * channels)
            for j in range(first, last):
                for c in range(channels):
                    mem[target + j * channels + c] = mem[source + j * x_place + c]
            clear_behind(mem, target + last * channels, end)


@kernel
def random_cutout(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    size: int,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out = x with zeros in a square."""
    for r in range(rows):
        top = int(row_draw(key, 2 * (start + r)) * height) - size // 2
        left = int(row_draw(key, 2 * (start + r) + 1) * width) - size // 2
        first, last = max(0, left), min(width, left + size)
        for i in range(height):
            source, target = x + r * x_row + i * x_line, out + r * out_row + i * out_line
            for j in range(width):
                for c in range(channels):
                    mem[target + j * channels + c] = mem[source + j * x_place + c]
            if top <= i and i < top + size:
                clear_behind(mem, target + first * channels, target + last * channels)
            clear_behind(mem, target + width * channels, target + width * channels + padding)


@kernel
def random_affine(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    angle: Double,
    zoom: Double,
    shift_y: Double,
    shift_x: Double,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out[p] = x[z * R(a) (p - centre) + centre - t], between the four places around, reflected at the edges."""
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    for r in range(rows):
        draw = 4 * (start + r)
        turn, z = angle * either_way(key, draw), 1.0 + zoom * either_way(key, draw + 1)
        sine, cosine = z * math.sin(turn), z * math.cos(turn)
        down = middle_y - shift_y * height * either_way(key, draw + 2)
        right = middle_x - shift_x * width * either_way(key, draw + 3)
        source = x + r * x_row
        for i in range(height):
            target = out + r * out_row + i * out_line
            for j in range(width):
                v = sine * (j - middle_x) + cosine * (i - middle_y) + down
                u = cosine * (j - middle_x) - sine * (i - middle_y) + right
                top, left = math.floor(v), math.floor(u)
                low, beside = v - top, u - left
                upper, lower = (
                    source + reflected(int(top), height) * x_line,
                    source + reflected(int(top) + 1, height) * x_line,
                )
                here, next_to = reflected(int(left), width) * x_place, reflected(int(left) + 1, width) * x_place
                for c in range(channels):
                    above = mem[upper + here + c] * (1.0 - beside) + mem[upper + next_to + c] * beside
                    below = mem[lower + here + c] * (1.0 - beside) + mem[lower + next_to + c] * beside
                    mem[target + j * channels + c] = above * (1.0 - low) + below * low
            clear_behind(mem, target + width * channels, target + width * channels + padding)


@register_jitable
def clipped(value: float, limit: float) -> float:
    """Within 0 .. limit, unless there is no limit."""
    return value if limit <= 0.0 else min(max(value, 0.0), limit)


@kernel
def random_brightness(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    amount: Double,
    limit: Double,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out = x + d, the same d for a whole image."""
    for r in range(rows):
        added = amount * either_way(key, start + r)
        for i in range(height):
            source, target = x + r * x_row + i * x_line, out + r * out_row + i * out_line
            for j in range(width):
                for c in range(channels):
                    mem[target + j * channels + c] = clipped(mem[source + j * x_place + c] + added, limit)
            clear_behind(mem, target + width * channels, target + width * channels + padding)


@kernel
def random_contrast(
    mem: Memory,
    rows: int,
    height: int,
    width: int,
    channels: int,
    start: int,
    key: int,
    share: Double,
    limit: Double,
    x: int,
    x_row: int,
    x_line: int,
    x_place: int,
    out: int,
    out_row: int,
    out_line: int,
    padding: int,
) -> None:
    """out = (x - mean) * f + mean, channel by channel."""
    for r in range(rows):
        factor = 1.0 + share * either_way(key, start + r)
        for c in range(channels):
            total = 0.0
            for i in range(height):
                for j in range(width):
                    total += mem[x + r * x_row + i * x_line + j * x_place + c]
            mean = total / (height * width)
            for i in range(height):
                source, target = x + r * x_row + i * x_line + c, out + r * out_row + i * out_line + c
                for j in range(width):
                    changed = (mem[source + j * x_place] - mean) * factor + mean
                    mem[target + j * channels] = clipped(changed, limit)
        for i in range(height):
            end = out + r * out_row + i * out_line + width * channels
            clear_behind(mem, end, end + padding)


@kernel
def random_share(mem: Memory, rows: int, start: int, key: int, alpha: Double, out: int, out_row: int) -> None:
    """Numbers from 0 to 1, of Beta(alpha, alpha)."""
    for r in range(rows):
        draw = 2 * (start + r)
        p = row_draw(key, draw) ** (1.0 / alpha)
        c = math.cos(2.0 * math.pi * row_draw(key, draw + 1))
        share = 0.5 + 0.5 * c * math.sqrt((1.0 - p) / (p + c * c * (1.0 - p)))
        mem[out + r * out_row] = clipped(share, 1.0)
        clear_behind(mem, out + r * out_row + 1, out + (r + 1) * out_row)


@kernel
def mix_rows(
    mem: Memory, rows: int, start: int, batch: int, size: int, x: int, share: int, share_row: int, out: int
) -> None:
    """out[r] = x[r + 1] + share[r] * (x[r] - x[r + 1]); behind the batch's last row stands its first."""
    for r in range(rows):
        own = mem[share + r * share_row]
        first, target = x + r * size, out + r * size
        second = first + size if start + r + 1 < batch else x - start * size
        for c in range(size):
            other = mem[second + c]
            mem[target + c] = other + own * (mem[first + c] - other)
