"""When a prediction can be compared with a target, and how their shapes are brought together.

The one adjustment: a last axis of 1 is left out against a side that has none. Nothing else is broadcast: [8] against
[8, 1] silently becoming [8, 8] is a classic way to train nonsense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused
from kdsl.ops.unsuitable import a_shape

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def guard_prediction(name: str, prediction: TensorType) -> None:
    """A prediction is what a network computes: floats."""
    if prediction.dtype != "f32":
        raise Refused(
            "E512",
            f"`{name}` compares a prediction with a target, but {{0}} is {prediction}: data, not a prediction",
            help=f"the prediction comes first: `{name}(logits, label)`",
        )
    if not prediction.batched:
        raise Refused("E512", f"`{name}` compares sample by sample, but {{0}} is one value for the whole batch")


def guard_numbers(name: str, prediction: TensorType, target: TensorType) -> None:
    """Prediction and target hold numbers, one against one."""
    if target.dtype == "index":
        raise Refused(
            "E511",
            f"`{name}` compares numbers, but {{1}} is a class: {target}",
            help="for classes use `cross_entropy`; for numbers declare the target `f32`, for yes or no `bool`",
        )
    if squeezed(prediction, target) != squeezed(target, prediction):
        raise _shapes_differ(prediction, target)


def guard_classes(name: str, prediction: TensorType, target: TensorType) -> None:
    """Scores [.., K] against `index(K)[..]`, or against [.., K] with a number for every class."""
    if prediction.rank == 0:
        raise Refused(
            "E510",
            f"`{name}` wants a score for each class, but {{0}} is a single number",
            help="end in `dense(classes)`; for one yes-or-no answer use `binary_cross_entropy`",
        )
    if prediction.shape[-1] == 1:
        raise Refused(
            "E510",
            f"`{name}` over one class has nothing to choose from: {{0}} is {prediction.dims}",
            help="end in `dense(classes)`; for one yes-or-no answer use `binary_cross_entropy`",
        )
    if target.dtype == "index":
        _guard_index(name, prediction, target)
    elif prediction.rank == target.rank:
        if prediction.shape[-1] != target.shape[-1]:
            raise _classes_differ(prediction.shape[-1], target.shape[-1])
        if prediction.shape != target.shape:
            raise _shapes_differ(prediction, target)
    elif target.shape == prediction.shape[:-1]:
        raise Refused(
            "E511",
            f"`{name}` wants the class of every answer, but {{1}} is a plain {target.dtype} number",
            help=f"declare it `index({prediction.shape[-1]})`: a whole number from 0 to {prediction.shape[-1] - 1}",
        )
    else:
        raise _shapes_differ(prediction, target)


def _guard_index(name: str, prediction: TensorType, target: TensorType) -> None:
    leading, wanted, classes = prediction.shape[:-1], target.shape, target.classes or 0
    if leading != wanted and (*leading, 1) != wanted:
        if len(leading) > len(wanted):
            rows = " x ".join(map(str, leading[len(wanted) :])) if leading[: len(wanted)] == wanted else ""
            each = f"each of {rows} rows" if rows else f"each of {list(leading)} places"
            whole = "the whole sample" if not wanted else f"each of {list(wanted)} places"
            raise Refused(
                "E502",
                f"{{0}} has a class for {each}, {{1}} has one for {whole}",
                label="compared here",
                help="put `flatten` before the first `dense`: `image -> flatten -> dense(128)`",
                insert="flatten -> ",
            )
        raise Refused(
            "E510",
            f"{{0}} {prediction.dims} has a class for each of {list(leading)} places, {{1}} for {list(wanted)}"
            if leading
            else f"{{0}} {prediction.dims} says one class, {{1}} has {' x '.join(map(str, wanted))} of them",
            label="compared here",
        )
    if prediction.shape[-1] != classes:
        raise _classes_differ(prediction.shape[-1], classes)


def _classes_differ(predicted: int, wanted: int) -> Refused:
    return Refused("E501", f"{{0}} has {predicted} classes, {{1}} has {wanted}", help=f"`dense({wanted})`")


def _shapes_differ(prediction: TensorType, target: TensorType) -> Refused:
    if prediction.rank == 1 and target.rank == 0:
        hint = "end in `dense(1)`"
    elif prediction.rank > target.rank:
        hint = "put `flatten` before the first `dense`, if the target is for the whole sample"
    elif prediction.shape and target.shape and prediction.shape[:-1] == target.shape[:-1]:
        hint = f"end in `dense({target.shape[-1]})`"
    else:
        hint = "both sides need the same shape; only a last axis of 1 may be left out"
    message = f"{{0}} is {a_shape(prediction)}, {{1}} is {a_shape(target)}"
    return Refused("E510", message, label="compared here", help=hint)


def squeezed(type: TensorType, other: TensorType) -> tuple[int, ...]:
    """The shape of `type` without its last axis, where that is 1 and `other` has none; else its own."""
    return type.shape[:-1] if type.shape == (*other.shape, 1) else type.shape


def aligned(build: Builder, prediction: str, target: str) -> tuple[str, str]:
    """Both values, a superfluous last axis of 1 reshaped away. The guards have seen them."""
    left, right = build.type_of(prediction), build.type_of(target)
    if right.dtype == "index":
        wanted = left.with_shape(*left.shape[:-1])
        return prediction, _reshaped(build, target, squeezed(right, wanted))
    return _reshaped(build, prediction, squeezed(left, right)), _reshaped(build, target, squeezed(right, left))


def _reshaped(build: Builder, value: str, shape: tuple[int, ...]) -> str:
    if build.type_of(value).shape == shape:
        return value
    return build.add("reshape", [value], {"shape": shape}, name=f"{value}.squeezed")


def mean_of(build: Builder, parts: str) -> str:
    """The scalar, called by the call's own path."""
    return build.add("mean", [parts], name=build.layer)
