"""An activation with a trained slope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Layer, Param, WeightSpec, layer
from kdsl.ops.type_rules import positive_axis
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("prelu")
class Prelu(Layer):
    """`y = x` where x is above 0, and `alpha * x` below, with a trained alpha for every element. Any shape, kept.

    Along `shared_axes` all elements have the same: on a picture, `[0, 1]` makes one for each channel.

    ```kmodel
    h = image -> conv(32, kernel = 3) -> prelu(shared_axes = [0, 1])
    ```
    Source: He et al. 2015, "Delving deep into rectifiers"; keras/src/layers/activations/prelu.py, which counts axes from 1.
    """

    keras = ("PReLU",)
    torch = ("PReLU",)
    init = Param("initializer", "first values of alpha", ("zeros", ()), keras="alpha_initializer")
    shared_axes = Param("axes", "axes, from 0, along which alpha is the same", ())

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("prelu", types[0])
        check_axes("prelu", arguments["shared_axes"], types[0], "shared_axes")

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        (type,) = types
        shared = {positive_axis(axis, type.rank) for axis in arguments["shared_axes"]}
        shape = tuple(1 if axis in shared else size for axis, size in enumerate(type.shape))
        return (WeightSpec("alpha", shape, arguments["init"]),)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        below = build.add("relu", [build.add("negative", [x])])
        scaled = build.add("multiply", [below, weights["alpha"]])
        return build.add("subtract", [build.add("relu", [x]), scaled], name=build.layer)
