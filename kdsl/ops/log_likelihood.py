"""Cross-entropy of probabilities: the negative log likelihood of the true class, one number for each place.

The target is a probability for each class, or (`sparse_`) the number of the true one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import need_classes, same_float, without_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@op("negative_log_likelihood")
class NegativeLogLikelihood(Op):
    """`-sum((target * (1 - smoothing) + smoothing / K) * log_probabilities)` over the last axis: [.., K] twice -> [..]."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return without_classes(same_float(types))

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
        if types[0] != without_classes(types[1]):
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
        return without_classes(types[0])

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
