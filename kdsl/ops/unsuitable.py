"""Refusals that several layers share."""

from __future__ import annotations

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused


def refuse_classes(layer: str, type: TensorType) -> None:
    """An `index` is the name of a class: to compute with it is a mistake."""
    if type.dtype == "index":
        raise Refused(
            "E405",
            f"`{layer}` computes with numbers, but gets classes: {type}",
            label="wants numbers",
            help="declare the input `i32` if its values are quantities; a class has no size to compute with",
        )


def a_shape(type: TensorType) -> str:
    """How a message calls a shape: a scalar, a vector [784], a picture [28, 28], a tensor [2, 3, 4]."""
    if type.rank == 0:
        return "a single number"
    if type.rank == 1:
        return f"a vector {type.dims}"
    return f"{type.rank} axes {type.dims}"
