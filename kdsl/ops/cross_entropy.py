"""Cross-entropy of logits: softmax, log likelihood and mean as one stable op, and its gradient.

The canonicalize pass puts them where a model has the parts (`kdsl.ops.softmax`, `kdsl.ops.log_likelihood`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import ToScalar, need_classes, need_scalar, same_float, without_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@op("softmax_cross_entropy")
class SoftmaxCrossEntropy(ToScalar):
    """`mean(negative_log_likelihood(log_softmax(logits), target))` in one: [.., K] twice -> one number."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        without_classes(same_float(types))
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
        need_scalar(types[0])
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
        need_scalar(types[0])
        need_classes(types[1], types[2])
        return types[1]

    @staticmethod
    def reference(upstream: Array, logits: Array, index: Array, *, smoothing: float) -> Array:
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities = raised / raised.sum(axis=-1, keepdims=True)
        classes = logits.shape[-1]
        smoothed = (index[..., None] == np.arange(classes)) * (1.0 - smoothing) + smoothing / classes
        return ((probabilities - smoothed) * (upstream * classes / logits.size)).astype(logits.dtype)


def _number(value: Attribute) -> float:
    if not isinstance(value, (int, float)):
        raise ValueError(f"wants a number, not {value!r}")
    return float(value)
