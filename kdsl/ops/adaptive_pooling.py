"""Pools whose result has a given size, whatever comes in: the windows are as large as it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.indexing import index
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Layer, Param, layer
from kdsl.ops.windows import need_sizes, need_spatial, per_axis

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class AdaptivePool(Layer):
    """Window i of m along an axis of n places begins at `floor(i * n / m)` and ends before `ceil((i + 1) * n / m)`."""

    pool: ClassVar[str]
    reduction: ClassVar[str]
    size = Param(
        "sizes", "size of the result: one number, or one for each spatial axis", positional=True, keras="output_size"
    )

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        need_spatial(cls.name, types[0])
        need_sizes(cls.name, "size", arguments["size"], types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x = as_float(build, values[0])
        spatial = build.type_of(x).shape[:-1]
        sizes = per_axis(arguments["size"], len(spatial))
        if all(n % m == 0 for n, m in zip(spatial, sizes, strict=True)):
            window = tuple(n // m for n, m in zip(spatial, sizes, strict=True))
            none = ((0, 0),) * len(window)
            attributes: dict[str, Attribute] = {"window": window, "strides": window, "padding": none}
            return build.add(cls.pool, [x], attributes, name=build.layer)
        axes = [axis for axis, (n, m) in enumerate(zip(spatial, sizes, strict=True)) if n != m]
        for axis in axes:
            x = cls._along(build, x, axis, sizes[axis], build.layer if axis == axes[-1] else "")
        return x

    @classmethod
    def _along(cls, build: Builder, x: str, axis: int, size: int, name: str) -> str:
        shape = build.type_of(x).shape
        n, whole = shape[axis], [slice(None)] * axis
        parts = [index(build, x, [*whole, slice(i * n // size, -(-(i + 1) * n // size))]) for i in range(size)]
        pooled = [reduced(build, cls.reduction, part, [axis], keep=True) for part in parts]
        return build.add("concat", pooled, {"axis": axis - len(shape)}, name=name)


@layer("adaptive_avg_pool")
class AdaptiveAvgPool(AdaptivePool):
    """The mean of every window, channel by channel, in as many windows as the result is to have places.

    x: [*spatial, C] with one, two or three spatial axes -> [*size, C].

    ```kmodel
    h = image -> conv(32, kernel = 3) -> relu -> adaptive_avg_pool([4, 4]) -> flatten
    ```
    Source: keras/src/layers/pooling/adaptive_average_pooling2d.py; torch.nn.AdaptiveAvgPool2d.
    """

    pool, reduction = "avg_pool", "reduce_mean"
    keras = ("AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D")
    torch = ("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d")


@layer("adaptive_max_pool")
class AdaptiveMaxPool(AdaptivePool):
    """The largest value of every window, channel by channel, in as many windows as the result is to have places.

    x: [*spatial, C] with one, two or three spatial axes -> [*size, C].

    ```kmodel
    h = image -> conv(32, kernel = 3) -> relu -> adaptive_max_pool(2) -> flatten
    ```
    Source: keras/src/layers/pooling/adaptive_max_pooling2d.py; torch.nn.AdaptiveMaxPool2d.
    """

    pool, reduction = "max_pool", "reduce_max"
    keras = ("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D")
    torch = ("AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d")
