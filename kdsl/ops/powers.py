"""Powers and roots of every element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.arithmetic import term
from kdsl.ops.function import Function, FunctionOp, scaled
from kdsl.ops.lazy import Array
from kdsl.ops.operators import binary
from kdsl.ops.registry import Layer, layer, op
from kdsl.ops.type_rules import Broadcast, BroadcastGradient
from kdsl.ops.unsuitable import refuse_classes
from kdsl.ops.vocabulary import log, power, sqrt, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("power")
@op("power")
class Power(Layer, Broadcast):
    """`z = x ** y`, also written so. The two broadcast; one of them may be a plain number.

    A negative x to a power that is not whole is NaN. The gradient to y is `z * log(x)` where x > 0, else 0.

    ```kmodel
    decayed = power(0.5, age)
    ```
    Source: numpy.power; gradients of jax.numpy.power.
    """

    arity = (2, 2)
    function = True
    scalars = True
    keras = ("power",)
    torch = ("pow",)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        for type in types:
            refuse_classes("power", type)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return binary(build, "**", values[0], values[1], name=build.layer)

    @staticmethod
    def reference(x: Array, y: Array) -> Array:
        return power(x, y)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, y = node.inputs
        for_x = term(build, "power_gradient", [upstream, x, y], x)
        return for_x, term(build, "power_exponent_gradient", [upstream, x, node.name], y)


@op("power_gradient")
class PowerGradient(BroadcastGradient):
    """`upstream * y * x ** (y - 1)`; 0 where y is 0, for x = 0 too."""

    @staticmethod
    def reference(upstream: Array, x: Array, y: Array) -> Array:
        return upstream * (y * power(x, where(y == 0.0, 1.0, y - 1.0)))


@op("power_exponent_gradient")
class PowerExponentGradient(BroadcastGradient):
    """`upstream * z * log(x)` where x > 0, else 0; z is `x ** y`."""

    @staticmethod
    def reference(upstream: Array, x: Array, z: Array) -> Array:
        return where(x > 0.0, upstream * (z * log(where(x > 0.0, x, 1.0))), 0.0)


@layer("square")
class SquareFunction(Function):
    """`y = x * x`. Any shape.

    ```kmodel
    energy = sum(square(x))
    ```
    Source: numpy.square.
    """

    keras = ("square",)
    torch = ("square",)


@layer("sqrt")
@op("sqrt")
class Sqrt(FunctionOp):
    """`y = sqrt(x)`: NaN below 0; at 0 the gradient is infinite. Any shape.

    ```kmodel
    deviation = sqrt(mean(square(x)) + 1e-6)
    ```
    Source: numpy.sqrt.
    """

    keras = ("sqrt",)
    torch = ("sqrt",)

    @staticmethod
    def reference(x: Array) -> Array:
        return sqrt(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        half = scaled(build, upstream, 0.5, f"gradient.{x}.half")
        return (build.add("divide", [half, node.name], name=f"gradient.{x}"),)


@layer("rsqrt")
@op("rsqrt")
class Rsqrt(FunctionOp):
    """`y = 1 / sqrt(x)`: infinite at 0, NaN below. Any shape.

    ```kmodel
    h = x * rsqrt(mean(square(x), keep = true) + 1e-6)
    ```
    Source: keras.ops.rsqrt.
    """

    keras = ("rsqrt",)
    torch = ("rsqrt",)

    @staticmethod
    def reference(x: Array) -> Array:
        return 1.0 / sqrt(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        square = build.add("square", [node.name], name=f"gradient.{x}.square")
        cube = build.add("multiply", [square, node.name], name=f"gradient.{x}.cube")
        half = scaled(build, upstream, -0.5, f"gradient.{x}.half")
        return (build.add("multiply", [half, cube], name=f"gradient.{x}"),)
