"""What metrics lower to: shares of right answers over the batch and every axis. Not differentiable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.graph.graph import Attribute
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Op, op
from kdsl.ops.type_rules import need_classes, same_float


class _AgainstIndex(Op):
    """Scores [.., K] and the numbers of the true classes, index [..] -> one number."""

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_classes(types[0], types[1])
        return FLOAT_SCALAR


class _AgainstSame(Op):
    """Scores and targets of one shape -> one number."""

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        same_float(types)
        return FLOAT_SCALAR


@op("sparse_accuracy")
class SparseAccuracy(_AgainstIndex):
    """How often the largest score is that of the true class; the first of equal ones counts."""

    @staticmethod
    def reference(logits: Array, index: Array) -> Array:
        return (logits.argmax(axis=-1) == index).mean(dtype=logits.dtype)


@op("categorical_accuracy")
class CategoricalAccuracy(_AgainstSame):
    """How often the largest score and the largest target stand at the same place; the first of equal ones counts."""

    @staticmethod
    def reference(logits: Array, target: Array) -> Array:
        return (logits.argmax(axis=-1) == target.argmax(axis=-1)).mean(dtype=logits.dtype)


@op("binary_accuracy")
class BinaryAccuracy(_AgainstSame):
    """How often `logit > 0` is what the target says (0 or 1)."""

    @staticmethod
    def reference(logits: Array, target: Array) -> Array:
        return ((logits > 0.0) == target).mean(dtype=logits.dtype)


@op("sparse_top_k")
class SparseTopK(_AgainstIndex):
    """How often fewer than k scores are larger than that of the true class. A NaN counts as a miss."""

    @staticmethod
    def reference(logits: Array, index: Array, *, k: int) -> Array:
        true = np.take_along_axis(logits, index[..., None].astype(np.int64), axis=-1)
        return ((~(logits <= true)).sum(axis=-1) < k).mean(dtype=logits.dtype)


@op("categorical_top_k")
class CategoricalTopK(_AgainstSame):
    """As `sparse_top_k`, where the true class is the place of the largest target."""

    @staticmethod
    def reference(logits: Array, target: Array, *, k: int) -> Array:
        true = np.take_along_axis(logits, target.argmax(axis=-1)[..., None], axis=-1)
        return ((~(logits <= true)).sum(axis=-1) < k).mean(dtype=logits.dtype)
