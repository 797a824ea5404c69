"""One number for each channel of a picture or a sequence: its mean, or its largest value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class GlobalPool(Layer):
    """Reduces every axis but the last one, which is that of the channels."""

    ir: ClassVar[str]
    keep = Param("bool", "keep the axes, with size 1", False, keras="keepdims")

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        if types[0].rank < 2:
            what = f"the vector {types[0].dims}" if types[0].rank else "a single number"
            raise Refused(
                "E401",
                f"`{cls.name}` reduces every axis before the channels, but gets {what}",
                label="wants [.., channels]",
                help="channels come last: a picture is [height, width, channels], a sequence [steps, features]",
            )

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x = as_float(build, values[0])
        axes = range(build.type_of(x).rank - 1)
        return reduced(build, cls.ir, x, axes, arguments["keep"], build.layer)


@layer("global_avg_pool")
class GlobalAvgPool(GlobalPool):
    """The mean of each channel: [height, width, channels] -> [channels], [steps, features] -> [features].

    ```kmodel
    logits = image -> global_avg_pool -> dense(10)
    ```
    Source: keras/src/layers/pooling/global_average_pooling2d.py.
    """

    ir = "reduce_mean"
    keras = ("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool2D")


@layer("global_max_pool")
class GlobalMaxPool(GlobalPool):
    """The largest value of each channel: [height, width, channels] -> [channels], [steps, features] -> [features].

    ```kmodel
    h = words -> embed(64) -> global_max_pool
    ```
    Source: keras/src/layers/pooling/global_max_pooling2d.py. Equal ones share the gradient evenly.
    """

    ir = "reduce_max"
    keras = ("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalMaxPool2D")
