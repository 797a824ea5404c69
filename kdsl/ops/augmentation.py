"""Random changes of training images: one op each, drawn anew for every image and step, the identity at inference.

An image is [height, width] or [height, width, channels]. Row i of a batch takes its draws from hashes of (seed, step, stream,
i * draws + j): the same for every target and number of threads, and after training is resumed. Coordinates are computed in
double precision whatever the images are made of. Nothing is differentiated: they change data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import need_float


def row_draws(rows: int, draws: int, stream: int, seed: int, step: int) -> Array:
    """Numbers from 0 up to (not including) 1: so many for each row."""

    def mix(h: Array) -> Array:
        h = (h ^ (h >> 16)) * 0x7FEB352D & 0xFFFFFFFF
        h = (h ^ (h >> 15)) * 0x846CA68B & 0xFFFFFFFF
        return h ^ (h >> 16)

    key = mix((seed * 0x9E3779B1 + 1) & 0xFFFFFFFF)
    key = mix((key + step * 0x85EBCA6B) & 0xFFFFFFFF)
    key = mix((key + stream * 0xC2B2AE35) & 0xFFFFFFFF)
    element = np.arange(rows * draws, dtype=np.uint64).reshape(rows, draws)
    hashed = mix((element * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)) ^ np.uint64(key))
    return (hashed >> np.uint64(8)).astype(np.float64) * 2.0**-24


def for_rows(numbers: Array, x: Array) -> Array:
    """One number for each row, as an array that broadcasts with x."""
    return numbers.reshape(-1, *[1] * (x.ndim - 1))


def within(x: Array, limit: float) -> Array:
    """Clipped to 0 .. limit, unless there is no limit."""
    return np.clip(x, 0.0, limit) if limit > 0.0 else x


def image_at(x: Array, i: Array, j: Array) -> Array:
    """x[row, i, j] for places i and j of each row; places outside are reflected: d c b a | a b c d | d c b a."""

    def inside(place: Array, size: int) -> Array:
        place = place % (2 * size)
        return np.where(place < size, place, 2 * size - 1 - place)

    return x[np.arange(len(x))[:, None, None], inside(i, x.shape[1]), inside(j, x.shape[2])]


class ChangesImages(Op):
    """An op on images that keeps their type."""

    differentiable = False
    run_time = ("seed", "step")

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (image,) = types
        need_float(image)
        if not image.batched or image.rank not in (2, 3):
            raise ValueError(f"{image} is no image")
        return image


@op("random_flip")
class RandomFlip(ChangesImages):
    """`y` is x or, with probability one half, x with its axis 0 (top and bottom) or 1 (left and right) reversed."""

    @staticmethod
    def reference(x: Array, *, axis: int, stream: int, seed: int, step: int) -> Array:
        draws = row_draws(len(x), 1, stream, seed, step)
        return np.where(for_rows(draws < 0.5, x), np.flip(x, axis + 1), x)


@op("random_crop")
class RandomCrop(ChangesImages):
    """`pad` zeros on each side, then a cut of the old size: each of its (2 * pad + 1) ** 2 places is equally likely."""

    @staticmethod
    def reference(x: Array, *, pad: int, stream: int, seed: int, step: int) -> Array:
        tops, lefts = np.floor(row_draws(len(x), 2, stream, seed, step).T * (2 * pad + 1)).astype(np.int64)
        framed = np.pad(x, [(0, 0), (pad, pad), (pad, pad), *[(0, 0)] * (x.ndim - 3)])
        i = (tops[:, None] + np.arange(x.shape[1]))[:, :, None]
        j = (lefts[:, None] + np.arange(x.shape[2]))[:, None, :]
        return framed[np.arange(len(x))[:, None, None], i, j]


@op("random_cutout")
class RandomCutout(ChangesImages):
    """A square of zeros, `size` to a side. Its centre is any place of the image with equal probability; what of it lies
    outside is cut off."""

    @staticmethod
    def reference(x: Array, *, size: int, stream: int, seed: int, step: int) -> Array:
        draws = row_draws(len(x), 2, stream, seed, step)
        top = np.floor(draws[:, :1] * x.shape[1]).astype(np.int64) - size // 2
        left = np.floor(draws[:, 1:] * x.shape[2]).astype(np.int64) - size // 2
        i, j = np.arange(x.shape[1]), np.arange(x.shape[2])
        lines, columns = (top <= i) & (i < top + size), (left <= j) & (j < left + size)
        cut = lines[:, :, None] & columns[:, None, :]
        return np.where(cut.reshape(*cut.shape, *[1] * (x.ndim - 3)), np.zeros_like(x), x)


@op("random_affine")
class RandomAffine(ChangesImages):
    """Turned, enlarged and moved: `y[p] = x[z * R(a) (p - centre) + centre - t]`, bilinear, reflected at the edges.

    The angle a is drawn evenly from -angle to angle (radians), the factor z from 1 - zoom to 1 + zoom, and the two moves t
    from -shift to shift times height and width. The centre is the middle of the image.
    """

    @staticmethod
    def reference(
        x: Array, *, angle: float, zoom: float, shift_y: float, shift_x: float, stream: int, seed: int, step: int
    ) -> Array:
        height, width = x.shape[1:3]
        a, z, down, right = (2.0 * row_draws(len(x), 4, stream, seed, step) - 1.0).T[:, :, None, None]
        z = 1.0 + zoom * z
        sine, cosine = z * np.sin(angle * a), z * np.cos(angle * a)
        middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
        i, j = np.arange(height)[:, None] - middle_y, np.arange(width)[None, :] - middle_x
        v = sine * j + cosine * i + middle_y - shift_y * height * down
        u = cosine * j - sine * i + middle_x - shift_x * width * right
        top, left = np.floor(v), np.floor(u)
        low, beside = (each.reshape(*each.shape, *[1] * (x.ndim - 3)) for each in (v - top, u - left))
        i, j = top.astype(np.int64), left.astype(np.int64)
        upper = image_at(x, i, j) * (1.0 - beside) + image_at(x, i, j + 1) * beside
        lower = image_at(x, i + 1, j) * (1.0 - beside) + image_at(x, i + 1, j + 1) * beside
        return (upper * (1.0 - low) + lower * low).astype(x.dtype)


@op("random_brightness")
class RandomBrightness(ChangesImages):
    """`y = x + d`, with d drawn evenly from -amount to amount for each image; clipped to 0 .. limit where limit > 0."""

    @staticmethod
    def reference(x: Array, *, amount: float, limit: float, stream: int, seed: int, step: int) -> Array:
        draws = 2.0 * row_draws(len(x), 1, stream, seed, step) - 1.0
        return within(x + for_rows(amount * draws, x), limit).astype(x.dtype)


@op("random_contrast")
class RandomContrast(ChangesImages):
    """`y = (x - mean) * f + mean`, with f drawn evenly from 1 - share to 1 + share for each image, and the mean of each of
    its channels; clipped to 0 .. limit where limit > 0."""

    @staticmethod
    def reference(x: Array, *, share: float, limit: float, stream: int, seed: int, step: int) -> Array:
        draws = 2.0 * row_draws(len(x), 1, stream, seed, step) - 1.0
        mean = np.mean(x, axis=(1, 2), keepdims=True, dtype=np.float64)
        return within((x - mean) * for_rows(1.0 + share * draws, x) + mean, limit).astype(x.dtype)
