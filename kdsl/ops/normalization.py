"""Layers that bring each sample to a scale of its own: compositions of reductions and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.operators import reshaped
from kdsl.ops.reductions import reduced
from kdsl.ops.registry import Layer, Param, Refused, WeightSpec, layer
from kdsl.ops.type_rules import positive_axis
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class OverItsAxes(Layer):
    """Normalises over the axes that it names."""

    axis = Param("axes", "the axis that is normalised over, or a list of axes", (-1,), positional=True)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        if types[0].rank == 0:
            raise Refused(
                "E401",
                f"`{cls.name}` works along an axis, but gets a single number",
                label="wants [.., features]",
            )
        check_axes(cls.name, arguments["axis"], types[0])


def places_of(arguments: Mapping[str, Any], type: TensorType) -> tuple[int, ...]:
    """The axes, counted from the first, in ascending order."""
    return tuple(sorted(positive_axis(axis, type.rank) for axis in arguments["axis"]))


def sizes_of(arguments: Mapping[str, Any], type: TensorType) -> tuple[int, ...]:
    return tuple(type.shape[place] for place in places_of(arguments, type))


def along(build: Builder, weight: str, places: Sequence[int], type: TensorType) -> str:
    """A weight over some axes of a type, shaped so that it meets them when it is broadcast."""
    if [*places] == [*range(type.rank - len(places), type.rank)]:
        return weight
    shape = tuple(size if place in places else 1 for place, size in enumerate(type.shape))
    return reshaped(build, weight, shape[min(places) :], f"{weight}.along")


@layer("layer_norm")
class LayerNorm(OverItsAxes):
    """`y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, mean and variance over the last axis of each place.

    x: [.., features]; gamma and beta have the sizes of the axes that are normalised over. Any shape, kept.

    ```kmodel
    h = x + (x -> layer_norm -> dense(64))
    ```
    Source: Ba et al. 2016, "Layer normalization"; keras/src/layers/normalization/layer_normalization.py.
    """

    keras = ("LayerNormalization",)
    torch = ("LayerNorm",)
    epsilon = Param("number", "added to the variance", 1e-3, low=0.0)
    center = Param("bool", "add the trained vector beta", True)
    scale = Param("bool", "multiply by the trained vector gamma", True)
    gamma_init = Param("initializer", "first values of gamma", ("ones", ()), keras="gamma_initializer")
    beta_init = Param("initializer", "first values of beta", ("zeros", ()), keras="beta_initializer")

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        shape = sizes_of(arguments, types[0])
        gamma = WeightSpec("gamma", shape, arguments["gamma_init"])
        beta = WeightSpec("beta", shape, arguments["beta_init"])
        return (*([gamma] if arguments["scale"] else []), *([beta] if arguments["center"] else []))

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        type = build.type_of(x)
        places = places_of(arguments, type)
        mean = reduced(build, "reduce_mean", x, places, keep=True, name=build.path("mean"))
        centered = build.add("subtract", [x, mean], name=build.path("centered"))
        squares = build.add("square", [centered])
        variance = reduced(build, "reduce_mean", squares, places, keep=True, name=build.path("variance"))
        steps = [("multiply", inverse_root(build, variance, arguments["epsilon"]))]
        if arguments["scale"]:
            steps.append(("multiply", along(build, weights["gamma"], places, type)))
        if arguments["center"]:
            steps.append(("add", along(build, weights["beta"], places, type)))
        return applied(build, centered, steps)


@layer("rms_norm")
class RmsNorm(OverItsAxes):
    """`y = x / sqrt(mean(x ** 2) + epsilon) * scale`, the mean over the last axis of each place.

    x: [.., features]; scale has the sizes of the axes that are normalised over. Any shape, kept.

    ```kmodel
    h = x + (x -> rms_norm -> dense(64))
    ```
    Source: Zhang and Sennrich 2019; keras/src/layers/normalization/rms_normalization.py.
    """

    keras = ("RMSNormalization",)
    torch = ("RMSNorm",)
    epsilon = Param("number", "added to the mean of the squares", 1e-6, low=0.0)
    init = Param("initializer", "first values of the scale", ("ones", ()))

    @staticmethod
    def weights(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("scale", sizes_of(arguments, types[0]), arguments["init"]),)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        type = build.type_of(x)
        places = places_of(arguments, type)
        mean = reduced(
            build, "reduce_mean", build.add("square", [x]), places, keep=True, name=build.path("mean_square")
        )
        inverse = inverse_root(build, mean, arguments["epsilon"])
        return applied(build, x, [("multiply", inverse), ("multiply", along(build, weights["scale"], places, type))])


@layer("unit_norm")
class UnitNorm(OverItsAxes):
    """`y = x / max(sqrt(sum(x ** 2)), 1e-12)`: every vector along the last axis gets the length 1. Any shape, kept.

    ```kmodel
    direction = x -> dense(64) -> unit_norm
    ```
    Source: keras/src/layers/normalization/unit_normalization.py.
    """

    keras = ("UnitNormalization",)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x = as_float(build, values[0])
        return unit(build, x, places_of(arguments, build.type_of(x)), 1e-12, build.layer)


def unit(build: Builder, x: str, places: Sequence[int], epsilon: float, name: str) -> str:
    """`x / max(its length, epsilon)`. Where all is 0 the gradient is finite: the length is held before the root."""
    squares = build.add("square", [x])
    total = reduced(build, "reduce_sum", squares, places, keep=True)
    held = build.add("maximum", [total, build.constant(epsilon * epsilon)])
    return build.add("multiply", [x, build.add("rsqrt", [held])], name=name)


def inverse_root(build: Builder, value: str, epsilon: float) -> str:
    """`1 / sqrt(value + epsilon)`."""
    raised = build.add("add", [value, build.constant(epsilon, build.path("epsilon"))])
    return build.add("rsqrt", [raised])


def applied(build: Builder, x: str, steps: Sequence[tuple[str, str]]) -> str:
    """Ops with a second operand one after the other, the last one named by the layer."""
    for number, (op, operand) in enumerate(steps, 1):
        x = build.add(op, [x, operand], name=build.layer if number == len(steps) else "")
    return x
