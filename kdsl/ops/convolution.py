"""Convolution as ops: the product and its two gradients, over any number of spatial axes, in groups of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Cost, Op, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.windows import Windows

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def geometry(attributes: Mapping[str, Attribute], size: Sequence[int]) -> Windows:
    """The windows that a node's attributes describe."""
    given: Any = attributes
    return Windows(tuple(size), given["strides"], given["dilation"], given["padding"])


def settings(node: Node, *more: str) -> dict[str, Attribute]:
    """What a gradient op takes over of the product's attributes."""
    return {key: value for key, value in node.attributes if key in ("strides", "padding", "dilation", "groups", *more)}


def _checked(x: TensorType, kernel: TensorType, attributes: Mapping[str, Attribute]) -> None:
    need_float(x, kernel)
    groups = attributes["groups"]
    assert isinstance(groups, int)
    if not x.batched or kernel.batched or kernel.rank != x.rank + 1:
        raise ValueError(f"cannot convolve {x} with {kernel}")
    if x.shape[-1] != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        raise ValueError(f"{groups} groups of {kernel} do not divide {x}")


@op("conv")
class Conv(Op):
    """`y[o, f] = sum over places k of the window and channels c of x[o * stride + k * dilation - before, c] * kernel[k, c, f]`.

    x: [*spatial, C], kernel: [*window, C / groups, F] -> [*places, F]. No reversal: a cross-correlation, as everywhere in
    deep learning. The channels are cut into `groups`, each with F / groups filters of its own.
    """

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, kernel = types
        _checked(x, kernel, attributes)
        return x.with_shape(*geometry(attributes, kernel.shape[:-2]).places(x.shape[:-1]), kernel.shape[-1])

    @staticmethod
    def reference(
        x: Array,
        kernel: Array,
        *,
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> Array:
        x = np.pad(x, ((0, 0), *padding, (0, 0)))
        window = kernel.shape[:-2]
        places = [(x.shape[1 + a] - (n - 1) * dilation[a] - 1) // strides[a] + 1 for a, n in enumerate(window)]
        x = x.reshape(*x.shape[:-1], groups, 1, -1)
        filters = np.moveaxis(kernel.reshape(*kernel.shape[:-1], groups, -1), -2, -3)
        total: Array = 0.0
        for at in np.ndindex(*window):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            sizes = zip(first, places, strides, strict=True)
            part = (slice(None), *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in sizes))
            total = total + x[part] @ filters[at]
        return total.reshape(*total.shape[:-3], -1)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, kernel = node.inputs
        shared = settings(node)
        sizes = {"shape": build.type_of(x).shape[:-1]}
        window = {"window": build.type_of(kernel).shape[:-2]}
        for_x = build.add("conv_data_gradient", [upstream, kernel], {**shared, **sizes}, name=f"gradient.{x}")
        for_kernel = build.add("conv_kernel_gradient", [x, upstream], {**shared, **window}, name=f"gradient.{kernel}")
        return for_x, for_kernel

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        kernel = types[1].shape
        return Cost(2 * result.size * prod(kernel[:-1]), sum(t.size for t in types) + result.size)


@op("conv_data_gradient")
class ConvDataGradient(Op):
    """The transpose of `conv` in x: every place of the upstream gradient adds its window, weighted by the kernel.

    upstream: [*places, F], kernel: [*window, C / groups, F] -> [*shape, C]. It is also the product of `conv_transpose`.
    """

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, kernel = types
        need_float(upstream, kernel)
        shape, groups = attributes["shape"], attributes["groups"]
        assert isinstance(shape, tuple) and isinstance(groups, int)
        result = upstream.with_shape(*(s for s in shape if isinstance(s, int)), kernel.shape[-2] * groups)
        _checked(result, kernel, attributes)
        if geometry(attributes, kernel.shape[:-2]).places(result.shape[:-1]) != upstream.shape[:-1]:
            raise ValueError(f"{upstream} is no product of {result} and {kernel}")
        return result

    @staticmethod
    def reference(
        upstream: Array,
        kernel: Array,
        *,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> Array:
        whole = [n + before + after for n, (before, after) in zip(shape, padding, strict=True)]
        total = np.zeros((len(upstream), *whole, groups, 1, kernel.shape[-2]), upstream.dtype)
        places = upstream.shape[1:-1]
        upstream = upstream.reshape(*upstream.shape[:-1], groups, 1, -1)
        filters = np.moveaxis(kernel.reshape(*kernel.shape[:-1], groups, -1), -3, -1)
        for at in np.ndindex(*kernel.shape[:-2]):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            window = (
                slice(None),
                *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in zip(first, places, strides, strict=True)),
            )
            total[window] += upstream @ filters[at]
        inner = (slice(None), *(slice(before, before + n) for n, (before, after) in zip(shape, padding, strict=True)))
        return total[inner].reshape(len(total), *shape, -1)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, kernel = node.inputs
        shared = settings(node)
        window = {"window": build.type_of(kernel).shape[:-2]}
        for_x = build.add("conv", [upstream, kernel], shared, name=f"gradient.{x}")
        for_kernel = build.add("conv_kernel_gradient", [upstream, x], {**shared, **window}, name=f"gradient.{kernel}")
        return for_x, for_kernel

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * types[0].size * prod(types[1].shape[:-1]), sum(t.size for t in types) + result.size)


@op("conv_kernel_gradient")
class ConvKernelGradient(Op):
    """The transpose of `conv` in the kernel: x: [*spatial, C], upstream: [*places, F] -> [*window, C / groups, F], summed
    over the batch and all places."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, upstream = types
        window, groups = attributes["window"], attributes["groups"]
        assert isinstance(window, tuple) and isinstance(groups, int)
        sizes = tuple(s for s in window if isinstance(s, int))
        kernel = TensorType("f32", (*sizes, x.shape[-1] // groups, upstream.shape[-1]), batched=False)
        _checked(x, kernel, attributes)
        if geometry(attributes, sizes).places(x.shape[:-1]) != upstream.shape[:-1]:
            raise ValueError(f"{upstream} is no product of {x} and {kernel}")
        return kernel

    @staticmethod
    def reference(
        x: Array,
        upstream: Array,
        *,
        window: tuple[int, ...],
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> Array:
        places = upstream.shape[1:-1]
        x = np.pad(x, ((0, 0), *padding, (0, 0)))
        x = x.reshape(*x.shape[:-1], groups, -1)
        g = np.moveaxis(upstream.reshape(-1, groups, upstream.shape[-1] // groups), 0, 1)
        result = np.zeros((*window, x.shape[-1], groups, g.shape[-1]), upstream.dtype)
        for at in np.ndindex(*window):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            sizes = zip(first, places, strides, strict=True)
            part = (slice(None), *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in sizes))
            seen = np.moveaxis(x[part].reshape(-1, groups, x.shape[-1]), 0, 2)
            result[at] = np.moveaxis(seen @ g, 0, 1)
        return result.reshape(*window, x.shape[-1], -1)

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * types[1].size * prod(result.shape[:-1]), sum(t.size for t in types) + result.size)
