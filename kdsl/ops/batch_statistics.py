"""Mean and variance over the batch, and their gradients: what batch normalisation is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import need_float

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def per_channel(x: TensorType) -> TensorType:
    """[.., C], batched -> [C]."""
    need_float(x)
    if not x.batched or x.rank == 0:
        raise ValueError(f"{x} has no batch of channels")
    return TensorType("f32", x.shape[-1:], batched=False)


class Spread(Op):
    """upstream: [C], x: [.., C], more: [C] -> [.., C]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, x, *others = types
        if any(type != per_channel(x) for type in (upstream, *others)):
            raise ValueError(f"{upstream} is no statistic of {x}")
        return x


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
        return (build.add("batch_mean_gradient", [upstream, x], name=f"gradient.{x}"),)


@op("batch_mean_gradient")
class BatchMeanGradient(Spread):
    """`upstream[c] / n` at every place, n being the numbers that were averaged."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return 0 * x + upstream / (x.size // x.shape[-1])


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
        for_x = build.add("batch_variance_gradient", [upstream, x, mean], name=f"gradient.{x}")
        off = build.add("subtract", [mean, build.add("batch_mean", [x])], name=f"gradient.{mean}.off")
        twice = build.add("multiply", [off, build.constant(2.0)], name=f"gradient.{mean}.twice")
        return for_x, build.add("multiply", [upstream, twice], name=f"gradient.{mean}")


@op("batch_variance_gradient")
class BatchVarianceGradient(Spread):
    """`upstream[c] * 2 (x - mean[c]) / n` at every place."""

    @staticmethod
    def reference(upstream: Array, x: Array, mean: Array) -> Array:
        return (x - mean) * (upstream * (2.0 / (x.size // x.shape[-1])))
