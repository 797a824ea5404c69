"""Pictures, sequences and volumes of another size: the nearest number, or the mean of the two neighbours along each axis.

Places are counted by their middles: place i of m lies at `(i + 0.5) * n / m - 0.5` among n ("half-pixel centres").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.einsum import product
from kdsl.ops.indexing import index
from kdsl.ops.operators import reshaped
from kdsl.ops.registry import Layer, Param, layer
from kdsl.ops.windows import need_sizes, need_spatial, per_axis

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

METHODS = ("nearest", "bilinear")


class Resizing(Layer):
    """Keeps the channels and changes the sizes of the other axes."""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        need_spatial(cls.name, types[0])
        need_sizes(cls.name, "size", arguments["size"], types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x = as_float(build, values[0])
        shape = build.type_of(x).shape
        sizes = cls.sizes(shape[:-1], per_axis(arguments["size"], len(shape) - 1))
        return resized(build, x, sizes, arguments["method"], build.layer)

    @classmethod
    def sizes(cls, before: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
        raise NotImplementedError


@layer("upsample")
class Upsample(Resizing):
    """A picture, a sequence or a volume that is larger by a whole factor along each axis but that of the channels.

    nearest: every number is repeated. bilinear: numbers between two neighbours are weighted means of them.

    ```kmodel
    larger = h -> upsample(2) -> conv(32, kernel = 3, pad = same) -> relu
    ```
    Source: keras/src/layers/reshaping/up_sampling2d.py.
    """

    keras = ("UpSampling1D", "UpSampling2D", "UpSampling3D")
    torch = ("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
    size = Param("sizes", "factor: one number, or one for each spatial axis", 2, positional=True)
    method = Param("word", "how the numbers between are made", "nearest", words=METHODS, keras="interpolation")

    @classmethod
    def sizes(cls, before: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(n * factor for n, factor in zip(before, given, strict=True))


@layer("resize")
class Resize(Resizing):
    """A picture, a sequence or a volume of another size.

    bilinear: every number is a weighted mean of its two neighbours along each axis. nearest: it is the nearest one.

    ```kmodel
    h = image -> resize([96, 96]) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/resizing.py, without antialiasing as there.
    """

    keras = ("Resizing",)
    torch = ("Resize", "interpolate")
    size = Param("sizes", "size of the result: one number, or one for each spatial axis", positional=True)
    method = Param("word", "how the numbers between are made", "bilinear", words=METHODS, keras="interpolation")

    @classmethod
    def sizes(cls, before: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
        return given


def resized(build: Builder, x: str, sizes: Sequence[int], method: str, name: str) -> str:
    """x with other sizes of the axes before the last one."""
    shape = build.type_of(x).shape
    if method == "nearest" and all(size % n == 0 for n, size in zip(shape, sizes, strict=False)):
        return repeated(build, x, [size // n for n, size in zip(shape, sizes, strict=False)], name)
    axes = [axis for axis, size in enumerate(sizes) if size != shape[axis]]
    for axis in axes:
        x = _along(build, x, axis, sizes[axis], method, name if axis == axes[-1] else "")
    return x if axes else build.add("reshape", [x], {"shape": shape}, name=name)


def repeated(build: Builder, x: str, factors: Sequence[int], name: str) -> str:
    """Every number as often as its axis' factor says."""
    shape = build.type_of(x).shape
    pairs = [(n, factor) for n, factor in zip(shape, (*factors, 1), strict=True)]
    apart = [size for n, factor in pairs for size in ((n, 1) if factor > 1 else (n,))]
    whole = [size for n, factor in pairs for size in ((n, factor) if factor > 1 else (n,))]
    x = reshaped(build, x, tuple(apart))
    x = build.add("broadcast_to", [x], {"shape": tuple(whole)})
    return build.add("reshape", [x], {"shape": tuple(n * factor for n, factor in pairs)}, name=name)


def _along(build: Builder, x: str, axis: int, size: int, method: str, name: str) -> str:
    n = build.type_of(x).shape[axis]
    if method == "nearest" and n % size == 0:
        step = n // size
        return index(build, x, [slice(None)] * axis + [slice(step // 2, None, step)], name)
    letters = "abcd"[: build.type_of(x).rank]
    result = letters.replace(letters[axis], "z")
    return product(build, (x, letters), (shares(build, n, size, method), f"{letters[axis]}z"), result, name)


def shares(build: Builder, n: int, size: int, method: str) -> str:
    """How much each of n places counts for each of `size` places: a matrix [n, size], 0 but for one or two neighbours.

    `max(0, 1 - |j - whole - share|)` for place j, whole and share being the whole part of where the other place lies,
    and the rest.
    """
    at = [(i + 0.5) * n / size for i in range(size)]
    at = [float(floor(place)) for place in at] if method == "nearest" else [max(0.0, min(p - 0.5, n - 1.0)) for p in at]
    whole = tuple(float(floor(place)) for place in at)
    share = tuple(place - floor(place) for place in at)
    rows = reshaped(build, build.constant(tuple(map(float, range(n)))), (n, 1))
    distance = build.add("subtract", [rows, build.constant(whole)])
    if any(share):
        distance = build.add("subtract", [distance, build.constant(share)])
    near = build.add("subtract", [build.constant(1.0), build.add("absolute", [distance])])
    return build.add("maximum", [near, build.constant(0.0)], name=build.path("shares"))
