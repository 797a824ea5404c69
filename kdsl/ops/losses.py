"""What losses lower to: the mean over everything, and losses of single numbers.

`kdsl.training.losses` is what a user calls; the graph is made of these, and of `kdsl.ops.cross_entropy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import Elementwise, GradientOp, ToScalar, need_float, need_scalar
from kdsl.ops.vocabulary import absolute, exp, log1p, maximum, minimum, sigmoid, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@op("mean")
class Mean(ToScalar):
    """The mean over the batch and every axis: one number."""

    @staticmethod
    def reference(x: Array) -> Array:
        return x.mean()

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("mean_gradient", [upstream, x], name=f"gradient.{x}"),)


@op("mean_gradient")
class MeanGradient(Op):
    """`upstream / number of elements` for every element of `x`, whose numbers do not matter, only how many they are."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(types[1])
        need_scalar(types[0])
        return types[1]

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return np.full_like(x, upstream / x.size)


@op("binary_cross_entropy")
class BinaryCrossEntropy(Elementwise):
    """`-t * log(sigmoid(x)) - (1 - t) * log(1 - sigmoid(x))` of a logit x and a target t from 0 to 1."""

    @staticmethod
    def reference(x: Array, t: Array) -> Array:
        return maximum(x, 0.0) - x * t + log1p(exp(-absolute(x)))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, t = node.inputs
        for_x = build.add("binary_cross_entropy_gradient", [upstream, x, t], name=f"gradient.{x}")
        product = build.add("multiply", [upstream, x], name=f"gradient.{t}.product")
        return for_x, build.add("negative", [product], name=f"gradient.{t}")


@op("binary_cross_entropy_gradient")
class BinaryCrossEntropyGradient(GradientOp):
    """`upstream * (sigmoid(x) - t)`."""

    @staticmethod
    def reference(upstream: Array, x: Array, t: Array) -> Array:
        return upstream * (sigmoid(x) - t)


@op("huber")
class Huber(Elementwise):
    """`0.5 * e * e` where |e| <= delta, else `delta * |e| - 0.5 * delta * delta`, of an error e."""

    @staticmethod
    def reference(error: Array, *, delta: float) -> Array:
        return where(absolute(error) <= delta, 0.5 * error * error, delta * absolute(error) - 0.5 * delta * delta)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (error,) = node.inputs
        return (build.add("huber_gradient", [upstream, error], node.keywords, name=f"gradient.{error}"),)


@op("huber_gradient")
class HuberGradient(GradientOp):
    """`upstream` times the error, held between -delta and delta."""

    @staticmethod
    def reference(upstream: Array, error: Array, *, delta: float) -> Array:
        return upstream * minimum(maximum(error, -delta), delta)
