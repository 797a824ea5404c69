"""Functions with kinks and steps: absolute value and sign, rounding, the larger and the smaller of two, clipping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.arithmetic import term
from kdsl.ops.cast import as_float
from kdsl.ops.function import Function, FunctionOp
from kdsl.ops.lazy import Array
from kdsl.ops.operators import combined
from kdsl.ops.registry import Layer, Param, Refused, layer, op
from kdsl.ops.type_rules import Broadcast, BroadcastGradient, GradientOp
from kdsl.ops.unsuitable import refuse_classes
from kdsl.ops.vocabulary import ceil, floor, maximum, minimum, round_half_even, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("abs")
class Abs(Function):
    """`y = |x|`; at 0 the gradient is 0. Any shape.

    ```kmodel
    error = abs(estimate - price)
    ```
    Source: numpy.absolute.
    """

    ir = "absolute"
    keras = ("abs", "absolute")
    torch = ("abs",)


@layer("sign")
class SignFunction(Function):
    """`y` = -1, 0 or 1: the sign of x. Nothing flows back. Any shape.

    ```kmodel
    direction = sign(x)
    ```
    Source: numpy.sign.
    """

    keras = ("sign",)
    torch = ("sign", "sgn")


class Rounding(FunctionOp):
    """A step function: its derivative is 0 wherever there is one, so nothing flows back."""

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (None,)


@layer("floor")
@op("floor")
class Floor(Rounding):
    """`y` is the largest whole number that is not above x. Nothing flows back. Any shape.

    ```kmodel
    whole = floor(x)
    ```
    Source: numpy.floor. Of a compile-time number it is a compile-time number.
    """

    keras = ("floor",)
    torch = ("floor",)

    @staticmethod
    def reference(x: Array) -> Array:
        return floor(x)


@layer("ceil")
@op("ceil")
class Ceil(Rounding):
    """`y` is the smallest whole number that is not below x. Nothing flows back. Any shape.

    ```kmodel
    whole = ceil(x)
    ```
    Source: numpy.ceil. Of a compile-time number it is a compile-time number.
    """

    keras = ("ceil",)
    torch = ("ceil",)

    @staticmethod
    def reference(x: Array) -> Array:
        return ceil(x)


@layer("round")
@op("round")
class Round(Rounding):
    """`y` is the whole number nearest to x, the even one of two that are equally near. Nothing flows back. Any shape.

    ```kmodel
    whole = round(x)
    ```
    Source: numpy.round.
    """

    keras = ("round",)
    torch = ("round",)

    @staticmethod
    def reference(x: Array) -> Array:
        return round_half_even(x)


class Extreme(Layer, Broadcast):
    """One of two values, element by element. Where they are equal, each gets half of the gradient."""

    arity = (2, None)
    function = True
    listed = True
    scalars = True

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        for type in types:
            refuse_classes(cls.name, type)

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        first, *rest = (as_float(build, value) for value in values)
        for number, value in enumerate(rest, 1):
            name = build.layer if number == len(rest) else ""
            first = combined(build, cls.name, [first, value], f"`{cls.name}`", name)
        return first

    @classmethod
    def gradient(cls, build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        op = f"{cls.name}_gradient"
        return term(build, op, [upstream, x, y], x), term(build, op, [upstream, y, x], y)


@layer("maximum")
@op("maximum")
class Maximum(Extreme):
    """`z` is the larger of x and y, element by element. They broadcast; plain numbers may stand among them.

    Of several inputs it is the largest. Where two are equal, each gets half of the gradient; NaN wins.

    ```kmodel
    h = maximum(x, 0.1 * x)
    ```
    Source: numpy.maximum, keras/src/layers/merging/maximum.py. The largest along an axis is `max`.
    """

    keras = ("Maximum", "maximum")
    torch = ("maximum",)

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return maximum(x, y)


@op("maximum_gradient")
class MaximumGradient(BroadcastGradient):
    """`upstream` where x > y, half of it where they are equal, else 0: to x."""

    @staticmethod
    def reference(upstream: Array, x: Array, y: Array) -> Array:
        return where(x > y, upstream, where(x == y, 0.5 * upstream, 0.0))


@layer("minimum")
@op("minimum")
class Minimum(Extreme):
    """`z` is the smaller of x and y, element by element. They broadcast; plain numbers may stand among them.

    Of several inputs it is the smallest. Where two are equal, each gets half of the gradient; NaN wins.

    ```kmodel
    h = minimum(x, 6)
    ```
    Source: numpy.minimum, keras/src/layers/merging/minimum.py. The smallest along an axis is `min`.
    """

    keras = ("Minimum", "minimum")
    torch = ("minimum",)

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return minimum(x, y)


@op("minimum_gradient")
class MinimumGradient(BroadcastGradient):
    """`upstream` where x < y, half of it where they are equal, else 0: to x."""

    @staticmethod
    def reference(upstream: Array, x: Array, y: Array) -> Array:
        return where(x < y, upstream, where(x == y, 0.5 * upstream, 0.0))


@layer("clip")
@op("clip")
class Clip(FunctionOp):
    """`y` is x, held between `low` and `high`. Any shape. The gradient is 1 from low to high, both included, else 0.

    ```kmodel
    h = clip(x, low = -1, high = 1)
    ```
    Source: keras.ops.clip. For one bound use `maximum` or `minimum`.
    """

    keras = ("clip",)
    torch = ("clamp", "clip", "Hardtanh")
    low = Param("number", "the smallest value of the result", keras="x_min")
    high = Param("number", "the largest value of the result", keras="x_max")

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        super().guard(arguments, types)
        low, high = arguments["low"], arguments["high"]
        if low > high:
            raise Refused(
                "E307",
                f"nothing lies between {low:g} and {high:g}: `low` is larger than `high`",
                argument="low",
                help=f"`clip(low = {high:g}, high = {low:g})`",
            )

    @staticmethod
    def reference(x: Array, *, low: float, high: float) -> Array:
        return minimum(maximum(x, low), high)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("clip_gradient", [upstream, x], node.keywords, name=f"gradient.{x}"),)


@op("clip_gradient")
class ClipGradient(GradientOp):
    """`upstream` where `low <= x <= high`, else 0."""

    @staticmethod
    def reference(upstream: Array, x: Array, *, low: float, high: float) -> Array:
        return where(x >= low, where(x <= high, upstream, 0.0), 0.0)
