"""Mean and variance over the batch, and their gradients: what batch normalisation is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Cost, Op, op
from kdsl.ops.type_rules import need_float
from kdsl.ops.vocabulary import where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def per_channel(x: TensorType) -> TensorType:
    """[.., C], batched -> [C]."""
    need_float(x)
    if not x.batched or x.rank == 0:
        raise ValueError(f"{x} has no batch of channels")
    return TensorType("f32", x.shape[-1:], batched=False)


def shared(build: Builder, upstream: str, x: str, factor: float, name: str) -> str:
    """`upstream * factor / n`, n being the numbers of x in each channel."""
    share = build.add("inverse_count", [x], name=f"{name}.share")
    if factor != 1.0:
        share = build.add("multiply", [share, build.constant(factor)], name=f"{name}.share")
    return build.add("multiply", [upstream, share], name=f"{name}.each")


@op("inverse_count")
class InverseCount(Op):
    """`1 / n`, n being how many numbers of x there are in each channel of the whole batch: [.., C] -> one number."""

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        per_channel(types[0])
        return FLOAT_SCALAR

    @staticmethod
    def reference(x: Array) -> Array:
        return x.dtype.type(x.shape[-1] / x.size)

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(0)


@op("spread_like")
class SpreadLike(Op):
    """The numbers of every channel at every place of x: [C] and [.., C] -> [.., C]. Of x only the shape counts."""

    elementwise = True
    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        channels, x = types
        if channels != per_channel(x):
            raise ValueError(f"{channels} are not the channels of {x}")
        return x

    @staticmethod
    def reference(channels: Array, x: Array) -> Array:
        return where(x == x, channels, channels)


@op("batch_mean")
class BatchMean(Op):
    """`mean[c]` of x over the batch and every axis but the last: [.., C] -> [C]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return per_channel(types[0])

    @staticmethod
    def reference(x: Array) -> Array:
        return x.reshape(-1, x.shape[-1]).mean(0)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        each = shared(build, upstream, x, 1.0, f"gradient.{node.name}")
        return (build.add("spread_like", [each, x], name=f"gradient.{x}"),)


@op("batch_variance")
class BatchVariance(Op):
    """`mean((x - mean) ** 2)[c]` over the batch and every axis but the last, not corrected: [.., C] and [C] -> [C]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        x, mean = types
        if mean != per_channel(x):
            raise ValueError(f"{mean} is no mean of {x}")
        return mean

    @staticmethod
    def reference(x: Array, mean: Array) -> Array:
        return ((x - mean) ** 2).reshape(-1, x.shape[-1]).mean(0)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, mean = node.inputs
        each = shared(build, upstream, x, 2.0, f"gradient.{node.name}")
        centered = build.add("subtract", [x, mean], name=f"gradient.{x}.centered")
        for_x = build.add("multiply", [centered, each], name=f"gradient.{x}")
        off = build.add("subtract", [mean, build.add("batch_mean", [x])], name=f"gradient.{mean}.off")
        twice = build.add("multiply", [off, build.constant(2.0)], name=f"gradient.{mean}.twice")
        return for_x, build.add("multiply", [upstream, twice], name=f"gradient.{mean}")
