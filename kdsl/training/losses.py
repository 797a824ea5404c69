"""Losses. Formulas are Keras's; predictions are logits where Keras says `from_logits = True`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Param
from kdsl.training.compare import (
    aligned,
    guard_classes,
    guard_numbers,
    guard_prediction,
    mean_of,
)
from kdsl.training.registry import LOSSES, Loss, loss

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

__all__ = ["LOSSES", "Loss"]


@loss("cross_entropy")
class CrossEntropy(Loss):
    """`-sum(target * log_softmax(logits))` over the last axis, then the mean.

    logits: f32[.., K]. Target: `index(K)[..]`, the number of the true class, or f32[.., K], a share for every class.
    With `smoothing = s` the target is `target * (1 - s) + s / K`.

    ```kmodel
    loss = cross_entropy(logits, label, smoothing = 0.1)
    ```
    Source: keras/src/losses/losses.py, `CategoricalCrossentropy` and `SparseCategoricalCrossentropy` from logits.
    """

    keras = (
        "SparseCategoricalCrossentropy",
        "CategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
    )
    torch = ("CrossEntropyLoss",)
    smoothing = Param(
        "number",
        "share of the target that is spread evenly over all classes",
        0.0,
        low=0.0,
        high=1.0,
        open="high",
        keras="label_smoothing",
    )

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        guard_prediction("cross_entropy", prediction)
        guard_classes("cross_entropy", prediction, target)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        attributes = {"smoothing": float(arguments["smoothing"])}
        logits, wanted = aligned(build, prediction, target)
        log_probabilities = build.add("log_softmax", [logits], {"axis": -1})
        sparse = build.type_of(wanted).dtype == "index"
        if sparse:
            parts = build.add("sparse_negative_log_likelihood", [log_probabilities, wanted], attributes)
        else:
            parts = build.add("negative_log_likelihood", [log_probabilities, as_float(build, wanted)], attributes)
        return mean_of(build, parts)


@loss("binary_cross_entropy")
class BinaryCrossEntropy(Loss):
    """`max(x, 0) - x * t + log(1 + exp(-|x|))` of logits x and targets t, then the mean.

    logits: f32[..]. Target of the same shape: `bool`, or f32 from 0 to 1.
    With `smoothing = s` the target is `t * (1 - s) + s / 2`.

    ```kmodel
    loss = binary_cross_entropy(logit, spam)
    ```
    Source: keras/src/losses/losses.py, `BinaryCrossentropy` from logits.
    """

    keras = ("BinaryCrossentropy", "binary_crossentropy")
    torch = ("BCEWithLogitsLoss", "BCELoss")
    smoothing = Param(
        "number",
        "share of the target that is drawn towards one half",
        0.0,
        low=0.0,
        high=1.0,
        open="high",
        keras="label_smoothing",
    )

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        guard_prediction("binary_cross_entropy", prediction)
        guard_numbers("binary_cross_entropy", prediction, target)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        smoothing = float(arguments["smoothing"])
        logits, wanted = aligned(build, prediction, target)
        wanted = as_float(build, wanted)
        if smoothing:
            kept = build.add("multiply", [wanted, build.constant(1.0 - smoothing)])
            wanted = build.add("add", [kept, build.constant(0.5 * smoothing)], name=build.path("smoothed"))
        return mean_of(build, build.add("binary_cross_entropy", [logits, wanted]))


class Difference(Loss):
    """A loss of prediction minus target, two float values of one shape."""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], prediction: TensorType, target: TensorType) -> None:
        guard_prediction(cls.name, prediction)
        guard_numbers(cls.name, prediction, target)

    @staticmethod
    def difference(build: Builder, prediction: str, target: str) -> str:
        value, wanted = aligned(build, prediction, target)
        return build.add("subtract", [value, as_float(build, wanted)])


@loss("mse")
class MeanSquaredError(Difference):
    """`mean((prediction - target) ** 2)`. Prediction and target of one shape.

    ```kmodel
    loss = mse(price, sold_for)
    ```
    Source: keras/src/losses/losses.py, `MeanSquaredError`.
    """

    keras = ("MeanSquaredError", "mean_squared_error", "MSE")
    torch = ("MSELoss",)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        return mean_of(build, build.add("square", [cls.difference(build, prediction, target)]))


@loss("mae")
class MeanAbsoluteError(Difference):
    """`mean(|prediction - target|)`. Prediction and target of one shape.

    ```kmodel
    loss = mae(price, sold_for)
    ```
    Source: keras/src/losses/losses.py, `MeanAbsoluteError`.
    """

    keras = ("MeanAbsoluteError", "mean_absolute_error", "MAE")
    torch = ("L1Loss",)

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        return mean_of(build, build.add("absolute", [cls.difference(build, prediction, target)]))


@loss("huber")
class Huber(Difference):
    """With e = prediction - target: `0.5 * e ** 2` where |e| <= delta, else `delta * |e| - 0.5 * delta ** 2`; the mean.

    ```kmodel
    loss = huber(price, sold_for, delta = 2.0)
    ```
    Source: keras/src/losses/losses.py, `Huber`; Huber 1964, "Robust estimation of a location parameter".
    """

    keras = ("Huber",)
    torch = ("HuberLoss", "SmoothL1Loss")
    delta = Param("number", "the error from which on the loss grows linearly", 1.0, low=0.0, open="low")

    @classmethod
    def lower(cls, build: Builder, arguments: Mapping[str, Any], prediction: str, target: str) -> str:
        error = cls.difference(build, prediction, target)
        return mean_of(build, build.add("huber", [error], {"delta": float(arguments["delta"])}))
