"""Layers that bring data to a scale networks learn well from. They have no weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

EPSILON = 1e-7  # keras.config.epsilon()


@layer("rescale")
class Rescale(Layer):
    """`y = x * scale + offset`. Any shape; integers become floats first.

    ```kmodel
    h = image -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/rescaling.py.
    """

    keras = ("Rescaling",)
    scale = Param("numbers", "factor, or one for each place of the last axis", positional=True)
    offset = Param("numbers", "added after the factor, or one for each place of the last axis", 0.0)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("rescale", types[0])
        for name in ("scale", "offset"):
            fit_last_axis("rescale", name, arguments[name], types[0])

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x, offset = as_float(build, values[0]), arguments["offset"]
        scale = build.constant(arguments["scale"], build.path("scale"))
        if offset == 0.0:
            return build.add("multiply", [x, scale], name=build.layer)
        scaled = build.add("multiply", [x, scale])
        return build.add("add", [scaled, build.constant(offset, build.path("offset"))], name=build.layer)


@layer("normalize")
class Normalize(Layer):
    """`y = (x - mean) / max(std, 1e-7)`, with given numbers. Any shape; integers become floats first.

    ```kmodel
    h = image -> normalize(mean = [125.3, 123.0, 113.9], std = [63.0, 62.1, 66.7])
    ```
    Source: keras/src/layers/preprocessing/normalization.py (which is given the variance, `std ** 2`).
    """

    keras = ("Normalization",)
    torch = ("Normalize",)
    mean = Param("numbers", "subtracted: a number, or one for each place of the last axis")
    std = Param("numbers", "divided by: a number, or one for each place of the last axis", low=0.0)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("normalize", types[0])
        for name in ("mean", "std"):
            fit_last_axis("normalize", name, arguments[name], types[0])

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x, std = as_float(build, values[0]), arguments["std"]
        divisor = tuple(max(s, EPSILON) for s in std) if isinstance(std, tuple) else max(std, EPSILON)
        mean = build.constant(arguments["mean"], build.path("mean"))
        centered = build.add("subtract", [x, mean])
        return build.add("divide", [centered, build.constant(divisor, build.path("std"))], name=build.layer)


def fit_last_axis(layer: str, name: str, value: float | tuple[float, ...], type: TensorType) -> None:
    """A list of numbers must have one for each place of the last axis."""
    if not isinstance(value, tuple):
        return
    if type.rank == 0:
        raise Refused(
            "E307",
            f"`{layer}` gets a single number, so `{name}` is a number, not a list",
            argument=name,
        )
    if len(value) != type.shape[-1]:
        raise Refused(
            "E307",
            f"`{name}` has {len(value)} numbers, but the last axis of {type.dims} has {type.shape[-1]} places",
            argument=name,
            label=f"{len(value)} numbers",
            help="give one number for all, or one for each place of the last axis",
        )
