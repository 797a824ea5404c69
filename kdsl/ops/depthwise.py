"""Depthwise convolution as ops: every channel has filters of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.convolution import geometry
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Cost, Op, op
from kdsl.ops.type_rules import need_float

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def _checked(x: TensorType, kernel: TensorType) -> None:
    need_float(x, kernel)
    if not x.batched or kernel.batched or kernel.rank != x.rank + 1 or x.shape[-1] != kernel.shape[-2]:
        raise ValueError(f"cannot convolve the channels of {x} with {kernel}")


@op("depthwise_conv")
class DepthwiseConv(Op):
    """`y[o, c * M + m] = sum over places k of the window of x[o * stride + k * dilation - before, c] * kernel[k, c, m]`.

    x: [*spatial, C], kernel: [*window, C, M] -> [*places, C * M].
    """

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, kernel = types
        _checked(x, kernel)
        places = geometry(attributes, kernel.shape[:-2]).places(x.shape[:-1])
        return x.with_shape(*places, kernel.shape[-2] * kernel.shape[-1])

    @staticmethod
    def reference(
        x: Array,
        kernel: Array,
        *,
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
    ) -> Array:
        x = np.pad(x, ((0, 0), *padding, (0, 0)))[..., None]
        window = kernel.shape[:-2]
        places = [(x.shape[1 + a] - (n - 1) * dilation[a] - 1) // strides[a] + 1 for a, n in enumerate(window)]
        total: Array = 0.0
        for at in np.ndindex(*window):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            sizes = zip(first, places, strides, strict=True)
            part = (slice(None), *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in sizes))
            total = total + x[part] * kernel[at]
        return total.reshape(*total.shape[:-2], -1)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, kernel = node.inputs
        sizes, window = build.type_of(x).shape[:-1], build.type_of(kernel).shape[:-2]
        shared = node.keywords
        for_x = build.add(
            "depthwise_conv_data_gradient", [upstream, kernel], {**shared, "shape": sizes}, name=f"gradient.{x}"
        )
        for_kernel = build.add(
            "depthwise_conv_kernel_gradient", [x, upstream], {**shared, "window": window}, name=f"gradient.{kernel}"
        )
        return for_x, for_kernel

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * result.size * prod(types[1].shape[:-2]), sum(t.size for t in types) + result.size)


@op("depthwise_conv_data_gradient")
class DepthwiseConvDataGradient(Op):
    """The transpose of `depthwise_conv` in x: upstream [*places, C * M], kernel [*window, C, M] -> [*shape, C]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, kernel = types
        need_float(upstream, kernel)
        shape = attributes["shape"]
        assert isinstance(shape, tuple)
        result = upstream.with_shape(*(s for s in shape if isinstance(s, int)), kernel.shape[-2])
        _checked(result, kernel)
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
    ) -> Array:
        whole = [n + before + after for n, (before, after) in zip(shape, padding, strict=True)]
        total = np.zeros((len(upstream), *whole, kernel.shape[-2]), upstream.dtype)
        places = upstream.shape[1:-1]
        upstream = upstream.reshape(*upstream.shape[:-1], *kernel.shape[-2:])
        for at in np.ndindex(*kernel.shape[:-2]):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            sizes = zip(first, places, strides, strict=True)
            window = (slice(None), *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in sizes))
            total[window] += (upstream * kernel[at]).sum(-1)
        inner = (slice(None), *(slice(before, before + n) for n, (before, _) in zip(shape, padding, strict=True)))
        return total[inner]

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * types[0].size * prod(types[1].shape[:-2]), sum(t.size for t in types) + result.size)


@op("depthwise_conv_kernel_gradient")
class DepthwiseConvKernelGradient(Op):
    """The transpose of `depthwise_conv` in the kernel: x [*spatial, C], upstream [*places, C * M] -> [*window, C, M],
    summed over the batch and all places."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, upstream = types
        window = attributes["window"]
        assert isinstance(window, tuple)
        sizes = tuple(s for s in window if isinstance(s, int))
        channels = x.shape[-1]
        kernel = TensorType("f32", (*sizes, channels, upstream.shape[-1] // channels), batched=False)
        _checked(x, kernel)
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
    ) -> Array:
        places, channels = upstream.shape[1:-1], x.shape[-1]
        x = np.pad(x, ((0, 0), *padding, (0, 0)))[..., None]
        upstream = upstream.reshape(*upstream.shape[:-1], channels, -1)
        result = np.zeros((*window, *upstream.shape[-2:]), upstream.dtype)
        for at in np.ndindex(*window):
            first = [k * d for k, d in zip(at, dilation, strict=True)]
            sizes = zip(first, places, strides, strict=True)
            part = (slice(None), *(slice(f, f + (n - 1) * s + 1, s) for f, n, s in sizes))
            result[at] = (x[part] * upstream).sum(tuple(range(upstream.ndim - 2)))
        return result

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(2 * types[1].size * prod(result.shape[:-2]), sum(t.size for t in types) + result.size)
