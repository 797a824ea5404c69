"""What losses lower to: the mean over everything, log likelihoods, and the fused stable forms.

`kdsl.training.losses` is what a user calls; the graph is made of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import Elementwise, GradientOp, ToScalar, need_float, same_float
from kdsl.ops.vocabulary import absolute, exp, log1p, maximum, minimum, sigmoid, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


# -- the mean over the batch and every axis ---------------------------------------------------------


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
        _need_scalar(types[0])
        return types[1]

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return np.full_like(x, upstream / x.size)


# -- cross-entropy, in parts ------------------------------------------------------------------------


@op("negative_log_likelihood")
class NegativeLogLikelihood(Op):
    """`-sum((target * (1 - smoothing) + smoothing / K) * log_probabilities)` over the last axis: [.., K] twice -> [..]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return _without_classes(same_float(types))

    @staticmethod
    def reference(log_probabilities: Array, target: Array, *, smoothing: float) -> Array:
        smoothed = target * (1.0 - smoothing) + smoothing / target.shape[-1]
        return -(smoothed * log_probabilities).sum(axis=-1)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        log_probabilities, target = node.inputs
        smoothing = node.attribute("smoothing")
        to_both = {"smoothing": smoothing}
        return (
            build.add(
                "negative_log_likelihood_gradient",
                [upstream, target],
                to_both,
                name=f"gradient.{log_probabilities}",
            ),
            build.add(
                "negative_log_likelihood_target_gradient",
                [upstream, log_probabilities],
                to_both,
                name=f"gradient.{target}",
            ),
        )


class _OverClasses(Op):
    """[..] and [.., K] -> [.., K]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        if types[0] != _without_classes(types[1]):
            raise ValueError(f"{types[0]} is not {types[1]} without its last axis")
        return types[1]


@op("negative_log_likelihood_gradient")
class NegativeLogLikelihoodGradient(_OverClasses):
    """`-upstream * (target * (1 - smoothing) + smoothing / K)`: to the log probabilities."""

    @staticmethod
    def reference(upstream: Array, target: Array, *, smoothing: float) -> Array:
        return -upstream[..., None] * (target * (1.0 - smoothing) + smoothing / target.shape[-1])


@op("negative_log_likelihood_target_gradient")
class NegativeLogLikelihoodTargetGradient(_OverClasses):
    """`-upstream * (1 - smoothing) * log_probabilities`: to a target that is computed itself."""

    @staticmethod
    def reference(upstream: Array, log_probabilities: Array, *, smoothing: float) -> Array:
        return -upstream[..., None] * ((1.0 - smoothing) * log_probabilities)


@op("sparse_negative_log_likelihood")
class SparseNegativeLogLikelihood(Op):
    """As `negative_log_likelihood`, with the number of the true class as target: [.., K] and index [..] -> [..]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_classes(types[0], types[1])
        return _without_classes(types[0])

    @staticmethod
    def reference(log_probabilities: Array, index: Array, *, smoothing: float) -> Array:
        picked = np.take_along_axis(log_probabilities, index[..., None].astype(np.int64), axis=-1)[..., 0]
        return -(1.0 - smoothing) * picked - smoothing * log_probabilities.mean(axis=-1)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        log_probabilities, index = node.inputs
        attributes = {"smoothing": node.attribute("smoothing"), "classes": build.type_of(log_probabilities).shape[-1]}
        name = f"gradient.{log_probabilities}"
        return build.add("sparse_negative_log_likelihood_gradient", [upstream, index], attributes, name=name), None


@op("sparse_negative_log_likelihood_gradient")
class SparseNegativeLogLikelihoodGradient(Op):
    """`-upstream * ((1 at the true class) * (1 - smoothing) + smoothing / K)`: [..] and index [..] -> [.., K]."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        upstream, index = types
        classes = attributes["classes"]
        if not isinstance(classes, int) or index.dtype != "index" or upstream.shape != index.shape:
            raise ValueError(f"no gradient of {classes!r} classes from {upstream} and {index}")
        return upstream.with_shape(*upstream.shape, classes)

    @staticmethod
    def reference(upstream: Array, index: Array, *, smoothing: float, classes: int) -> Array:
        true = index[..., None] == np.arange(classes)
        return -upstream[..., None] * (true * np.asarray(1.0 - smoothing, upstream.dtype) + smoothing / classes)


# -- cross-entropy of logits, fused -----------------------------------------------------------------


@op("softmax_cross_entropy")
class SoftmaxCrossEntropy(ToScalar):
    """`mean(negative_log_likelihood(log_softmax(logits), target))` in one: [.., K] twice -> one number."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        _without_classes(same_float(types))
        return FLOAT_SCALAR

    @staticmethod
    def reference(logits: Array, target: Array, *, smoothing: float) -> Array:
        shifted = logits - logits.max(axis=-1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        smoothed = target * (1.0 - smoothing) + smoothing / target.shape[-1]
        return -(smoothed * log_probabilities).sum(axis=-1).mean()

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        logits, target = node.inputs
        smoothing = node.attribute("smoothing")
        for_logits = build.add(
            "softmax_cross_entropy_gradient",
            [upstream, logits, target],
            {"smoothing": smoothing},
            name=f"gradient.{logits}",
        )
        # A target that is computed itself: -upstream * (1 - smoothing) * log_softmax(logits) / rows.
        log_probabilities = build.add("log_softmax", [logits], {"axis": -1}, name=f"{node.name}.log_softmax")
        share = build.add("mean_gradient", [upstream, log_probabilities], name=f"gradient.{target}.mean")
        product = build.add("multiply", [share, log_probabilities], name=f"gradient.{target}.product")
        factor = -(1.0 - _number(smoothing)) * build.type_of(logits).shape[-1]
        return for_logits, build.add("multiply", [product, build.constant(factor)], name=f"gradient.{target}")


@op("softmax_cross_entropy_gradient")
class SoftmaxCrossEntropyGradient(Op):
    """`upstream * (softmax(logits) * sum(target) - target) / rows`, the target smoothed."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        _need_scalar(types[0])
        return same_float(types[1:])

    @staticmethod
    def reference(upstream: Array, logits: Array, target: Array, *, smoothing: float) -> Array:
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities = raised / raised.sum(axis=-1, keepdims=True)
        smoothed = target * (1.0 - smoothing) + smoothing / target.shape[-1]
        difference = probabilities * smoothed.sum(axis=-1, keepdims=True) - smoothed
        return (difference * (upstream * logits.shape[-1] / logits.size)).astype(logits.dtype)


@op("sparse_softmax_cross_entropy")
class SparseSoftmaxCrossEntropy(ToScalar):
    """`mean(sparse_negative_log_likelihood(log_softmax(logits), index))` in one: [.., K], index [..] -> one number."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_classes(types[0], types[1])
        return FLOAT_SCALAR

    @staticmethod
    def reference(logits: Array, index: Array, *, smoothing: float) -> Array:
        shifted = logits - logits.max(axis=-1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        picked = np.take_along_axis(log_probabilities, index[..., None].astype(np.int64), axis=-1)[..., 0]
        return (-(1.0 - smoothing) * picked - smoothing * log_probabilities.mean(axis=-1)).mean()

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        logits, index = node.inputs
        name = f"gradient.{logits}"
        return (
            build.add("sparse_softmax_cross_entropy_gradient", [upstream, logits, index], node.keywords, name=name),
            None,
        )


@op("sparse_softmax_cross_entropy_gradient")
class SparseSoftmaxCrossEntropyGradient(Op):
    """`upstream * (softmax(logits) - target) / rows`, where target is 1 at the true class, smoothed."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        _need_scalar(types[0])
        need_classes(types[1], types[2])
        return types[1]

    @staticmethod
    def reference(upstream: Array, logits: Array, index: Array, *, smoothing: float) -> Array:
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities = raised / raised.sum(axis=-1, keepdims=True)
        classes = logits.shape[-1]
        smoothed = (index[..., None] == np.arange(classes)) * (1.0 - smoothing) + smoothing / classes
        return ((probabilities - smoothed) * (upstream * classes / logits.size)).astype(logits.dtype)


# -- losses of single numbers -----------------------------------------------------------------------


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


# -- type rules -------------------------------------------------------------------------------------


def need_classes(logits: TensorType, index: TensorType) -> None:
    """Logits [.., K] and index(K) [..]."""
    need_float(logits)
    if logits.rank == 0 or index.dtype != "index" or index.classes != logits.shape[-1]:
        raise ValueError(f"{logits} are no scores for {index}")
    if index.shape != logits.shape[:-1] or index.batched != logits.batched:
        raise ValueError(f"{index} is not {logits} without its last axis")


def _without_classes(type: TensorType) -> TensorType:
    need_float(type)
    if type.rank == 0:
        raise ValueError("a single number has no classes")
    return type.with_shape(*type.shape[:-1])


def _need_scalar(type: TensorType) -> None:
    if type != FLOAT_SCALAR:
        raise ValueError(f"wants one number for the whole batch, not {type}")


def _number(value: Attribute) -> float:
    if not isinstance(value, (int, float)):
        raise ValueError(f"wants a number, not {value!r}")
    return float(value)
