"""Pools: the largest or the mean value of every window, channel by channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Cost, Layer, Op, Param, layer, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.windows import Windows, windows_of

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def pool_windows(attributes: Mapping[str, Attribute]) -> Windows:
    given: Any = attributes
    return Windows(given["window"], given["strides"], (1,) * len(given["window"]), given["padding"])


class PoolOp(Op):
    """x: [*spatial, C] -> [*places, C]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (x,) = types
        need_float(x)
        return x.with_shape(*pool_windows(attributes).places(x.shape[:-1]), x.shape[-1])

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(result.size * prod(pool_windows(attributes).size), types[0].size + result.size)


@op("max_pool")
class MaxPoolOp(PoolOp):
    """The largest number of every window; padding never is it.

    x: [*spatial, C] -> [*places, C].
    """

    @staticmethod
    def reference(
        x: Array, *, window: tuple[int, ...], strides: tuple[int, ...], padding: tuple[tuple[int, int], ...]
    ) -> Array:
        x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=-np.inf)
        places = [(x.shape[1 + a] - n) // strides[a] + 1 for a, n in enumerate(window)]
        result = None
        for at in np.ndindex(*window):
            sizes = zip(at, places, strides, strict=True)
            part = (slice(None), *(slice(k, k + (n - 1) * s + 1, s) for k, n, s in sizes))
            result = x[part] if result is None else np.maximum(result, x[part])
        return result

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("max_pool_gradient", [upstream, x, node.name], node.keywords, name=f"gradient.{x}"),)


@op("max_pool_gradient")
class MaxPoolGradient(Op):
    """What comes back goes to the first of the largest numbers of every window, in the order of memory.

    upstream and y: [*places, C], x: [*spatial, C] -> [*spatial, C].
    """

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, x, y = types
        need_float(upstream, x, y)
        if upstream != y or pool_windows(attributes).places(x.shape[:-1]) != y.shape[:-1]:
            raise ValueError(f"{y} is no pool of {x}")
        return x

    @staticmethod
    def reference(
        upstream: Array,
        x: Array,
        y: Array,
        *,
        window: tuple[int, ...],
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
    ) -> Array:
        sizes, places = x.shape[1:-1], y.shape[1:-1]
        x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=-np.inf)
        total = np.zeros_like(x, upstream.dtype)
        waiting = np.ones(y.shape, bool)
        for at in np.ndindex(*window):
            triples = zip(at, places, strides, strict=True)
            part = (slice(None), *(slice(k, k + (n - 1) * s + 1, s) for k, n, s in triples))
            here = waiting & (x[part] == y)
            total[part] += np.where(here, upstream, 0)
            waiting &= ~here
        inner = (slice(None), *(slice(before, before + n) for n, (before, _) in zip(sizes, padding, strict=True)))
        return total[inner]


@op("avg_pool")
class AvgPoolOp(PoolOp):
    """The mean of every window; padding is not counted.

    x: [*spatial, C] -> [*places, C].
    """

    @staticmethod
    def reference(
        x: Array, *, window: tuple[int, ...], strides: tuple[int, ...], padding: tuple[tuple[int, int], ...]
    ) -> Array:
        count = np.pad(np.ones((1, *x.shape[1:-1], 1), x.dtype), ((0, 0), *padding, (0, 0)))
        x = np.pad(x, ((0, 0), *padding, (0, 0)))
        places = [(x.shape[1 + a] - n) // strides[a] + 1 for a, n in enumerate(window)]
        total = counted = 0.0
        for at in np.ndindex(*window):
            sizes = zip(at, places, strides, strict=True)
            part = (slice(None), *(slice(k, k + (n - 1) * s + 1, s) for k, n, s in sizes))
            total, counted = total + x[part], counted + count[part]
        return total / counted

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        attributes = {**node.keywords, "shape": build.type_of(x).shape[:-1]}
        return (build.add("avg_pool_gradient", [upstream], attributes, name=f"gradient.{x}"),)


@op("avg_pool_gradient")
class AvgPoolGradient(Op):
    """What comes back is shared evenly by the numbers of every window: upstream [*places, C] -> [*shape, C]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (upstream,) = types
        need_float(upstream)
        shape = attributes["shape"]
        assert isinstance(shape, tuple)
        sizes = tuple(s for s in shape if isinstance(s, int))
        if pool_windows(attributes).places(sizes) != upstream.shape[:-1]:
            raise ValueError(f"{upstream} is no pool of {sizes}")
        return upstream.with_shape(*sizes, upstream.shape[-1])

    @staticmethod
    def reference(
        upstream: Array,
        *,
        shape: tuple[int, ...],
        window: tuple[int, ...],
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
    ) -> Array:
        count = np.pad(np.ones((1, *shape, 1), upstream.dtype), ((0, 0), *padding, (0, 0)))
        total = np.zeros((len(upstream), *count.shape[1:-1], upstream.shape[-1]), upstream.dtype)
        places = upstream.shape[1:-1]
        parts = []
        for at in np.ndindex(*window):
            sizes = zip(at, places, strides, strict=True)
            parts.append((slice(None), *(slice(k, k + (n - 1) * s + 1, s) for k, n, s in sizes)))
        share = upstream / sum(count[part] for part in parts)
        for part in parts:
            total[part] += share
        inner = (slice(None), *(slice(before, before + n) for n, (before, _) in zip(shape, padding, strict=True)))
        return total[inner]


class Pool(Layer):
    size = Param(
        "sizes", "size of the window: one number, or one for each spatial axis", 2, positional=True, keras="pool_size"
    )
    stride = Param("sizes", "places from one window to the next; the window's size if not given", None, keras="strides")
    pad = Param(
        "word",
        "valid: windows lie inside the input. same: beyond its edges too, where nothing counts",
        "valid",
        words=("valid", "same"),
        keras="padding",
    )

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        windows_of(cls.name, arguments, types[0], size="size")

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        windows = windows_of(cls.name, arguments, build.type_of(values[0]), size="size")
        attributes: dict[str, Attribute] = {
            "window": windows.size,
            "strides": windows.strides,
            "padding": windows.padding,
        }
        return build.add(cls.name, [as_float(build, values[0])], attributes, name=build.layer)


@layer("max_pool")
class MaxPool(Pool):
    """The largest value of every window, channel by channel.

    x: [*spatial, C] with one, two or three spatial axes -> [*places, C].

    ```kmodel
    h = image -> conv(32, kernel = 3) -> relu -> max_pool(2)
    ```
    Source: keras/src/layers/pooling/base_pooling.py.
    """

    keras = ("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D")
    torch = ("MaxPool1d", "MaxPool2d", "MaxPool3d")


@layer("avg_pool")
class AvgPool(Pool):
    """The mean of every window, channel by channel; padding is not counted.

    x: [*spatial, C] with one, two or three spatial axes -> [*places, C].

    ```kmodel
    h = image -> conv(32, kernel = 3) -> relu -> avg_pool(2)
    ```
    Source: keras/src/layers/pooling/base_pooling.py.
    """

    keras = ("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D")
    torch = ("AvgPool1d", "AvgPool2d", "AvgPool3d")
