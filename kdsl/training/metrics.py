"""Metrics: what an epoch reports beside the loss. Each is a mean over the batch; an epoch's weighs batches by their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Param, Refused
from kdsl.training import losses
from kdsl.training.compare import aligned, guard_classes, guard_numbers, guard_prediction
from kdsl.training.registry import METRICS, Metric, metric

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

__all__ = ["METRICS", "Metric"]


def _is_binary(prediction: TensorType, target: TensorType) -> bool:
    """Yes-or-no answers, each by itself; else classes, one of which is right."""
    if target.dtype == "index":
        return False
    return target.dtype == "bool" or prediction.rank == 0 or prediction.shape[-1] == 1


@metric("accuracy")
class Accuracy(Metric):
    """The share of right answers. Its form follows from the types:

    `index` target: the largest of the logits f32[.., K] stands at the true class. `bool` target, or logits with a last
    axis of 1 or none: the logit is above 0 exactly where the target is 1. f32[.., K] target: the largest logit and the
    largest target stand at the same place.

    ```kmodel
    metrics = [accuracy(logits, label)]
    ```
    Source: keras/src/metrics/accuracy_metrics.py; logits above 0 are probabilities above one half.
    """

    rises = True
    keras = ("accuracy", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy")

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        guard_prediction("accuracy", prediction)
        guard = guard_numbers if _is_binary(prediction, target) else guard_classes
        guard("accuracy", prediction, target)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        form = "categorical_accuracy"
        if _is_binary(build.type_of(prediction), build.type_of(target)):
            form = "binary_accuracy"
        return _against(build, prediction, target, "sparse_accuracy", form, {})


@metric("top_k")
class TopK(Metric):
    """The share of samples whose true class is among the k largest of the logits f32[.., K]. A tie for the last place counts.

    Target: `index(K)[..]`, or f32[.., K], whose largest value marks the true class.

    ```kmodel
    metrics = [top_k(logits, label, k = 3)]
    ```
    Source: keras/src/metrics/accuracy_metrics.py, `TopKCategoricalAccuracy`.
    """

    rises = True
    keras = ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")
    k = Param("size", "how many guesses are allowed", 5)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        guard_prediction("top_k", prediction)
        guard_classes("top_k", prediction, target)
        classes = prediction.shape[-1]
        if arguments["k"] > classes:
            raise Refused(
                "E513",
                f"`k` is {arguments['k']}, but there are only {classes} classes",
                argument="k",
                help=f"k must be less than {classes}, or every answer is right",
            )

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        return _against(build, prediction, target, "sparse_top_k", "categorical_top_k", {"k": arguments["k"]})


def _against(
    build: Builder, prediction: str, target: str, sparse: str, other: str, attributes: Mapping[str, int]
) -> str:
    """One of two forms of a metric, by the target's type."""
    logits, wanted = aligned(build, prediction, target)
    if build.type_of(wanted).dtype == "index":
        return build.add(sparse, [logits, wanted], attributes, name=build.layer)
    return build.add(other, [logits, as_float(build, wanted)], attributes, name=build.layer)


@metric("mse")
class MeanSquaredError(Metric):
    """`mean((prediction - target) ** 2)`. Prediction and target of one shape.

    ```kmodel
    metrics = [mse(price, sold_for)]
    ```
    Source: keras/src/metrics/regression_metrics.py, `MeanSquaredError`.
    """

    keras = ("MeanSquaredError", "mean_squared_error", "MSE")
    guard = losses.MeanSquaredError.guard
    lower = losses.MeanSquaredError.lower


@metric("mae")
class MeanAbsoluteError(Metric):
    """`mean(|prediction - target|)`. Prediction and target of one shape.

    ```kmodel
    metrics = [mae(price, sold_for)]
    ```
    Source: keras/src/metrics/regression_metrics.py, `MeanAbsoluteError`.
    """

    keras = ("MeanAbsoluteError", "mean_absolute_error", "MAE")
    guard = losses.MeanAbsoluteError.guard
    lower = losses.MeanAbsoluteError.lower
