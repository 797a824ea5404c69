"""Functions of every element: exponentials and logarithms, sine and cosine, the error function."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

from kdsl.graph.graph import Node
from kdsl.ops.function import Function, FunctionOp, scaled
from kdsl.ops.lazy import Array
from kdsl.ops.registry import layer, op
from kdsl.ops.vocabulary import cos, erf, expm1, log, log1p, sin

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("exp")
class Exp(Function):
    """`y = exp(x)`. Any shape.

    ```kmodel
    rate = exp(log_rate)
    ```
    Source: numpy.exp. Above 88.7 the result is infinite in single precision.
    """

    ir = "exponential"
    keras = ("exp",)
    torch = ("exp",)


@layer("expm1")
@op("expm1")
class Expm1(FunctionOp):
    """`y = exp(x) - 1`, exact for small x. Any shape.

    ```kmodel
    growth = expm1(log_return)
    ```
    Source: numpy.expm1.
    """

    keras = ("expm1",)
    torch = ("expm1",)

    @staticmethod
    def reference(x: Array) -> Array:
        return expm1(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        slope = build.add("add", [node.name, build.constant(1.0)], name=f"gradient.{x}.slope")
        return (build.add("multiply", [upstream, slope], name=f"gradient.{x}"),)


@layer("log")
@op("log")
class Log(FunctionOp):
    """`y = log(x)`, the natural logarithm: -inf at 0, NaN below. Any shape.

    ```kmodel
    bits = log(p) / 0.6931472
    ```
    Source: numpy.log. Its gradient is `upstream / x`.
    """

    keras = ("log",)
    torch = ("log",)

    @staticmethod
    def reference(x: Array) -> Array:
        return log(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("divide", [upstream, x], name=f"gradient.{x}"),)


@layer("log1p")
@op("log1p")
class Log1p(FunctionOp):
    """`y = log(1 + x)`, exact for small x: -inf at -1, NaN below. Any shape.

    ```kmodel
    h = log1p(count) -> dense(64)
    ```
    Source: numpy.log1p.
    """

    keras = ("log1p",)
    torch = ("log1p",)

    @staticmethod
    def reference(x: Array) -> Array:
        return log1p(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        shifted = build.add("add", [x, build.constant(1.0)], name=f"gradient.{x}.shifted")
        return (build.add("divide", [upstream, shifted], name=f"gradient.{x}"),)


@layer("sin")
@op("sin")
class Sin(FunctionOp):
    """`y = sin(x)`, x in radians. Any shape.

    ```kmodel
    wave = sin(6.2831853 * phase)
    ```
    Source: numpy.sin.
    """

    keras = ("sin",)
    torch = ("sin",)

    @staticmethod
    def reference(x: Array) -> Array:
        return sin(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        slope = build.add("cos", [x], name=f"gradient.{x}.cos")
        return (build.add("multiply", [upstream, slope], name=f"gradient.{x}"),)


@layer("cos")
@op("cos")
class Cos(FunctionOp):
    """`y = cos(x)`, x in radians. Any shape.

    ```kmodel
    wave = cos(6.2831853 * phase)
    ```
    Source: numpy.cos.
    """

    keras = ("cos",)
    torch = ("cos",)

    @staticmethod
    def reference(x: Array) -> Array:
        return cos(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        slope = build.add("sin", [x], name=f"gradient.{x}.sin")
        product = build.add("multiply", [upstream, slope], name=f"gradient.{x}.product")
        return (build.add("negative", [product], name=f"gradient.{x}"),)


@layer("erf")
@op("erf")
class Erf(FunctionOp):
    """`y = 2 / sqrt(pi) * (integral of exp(-t * t) from 0 to x)`, the error function. Any shape.

    ```kmodel
    share = 0.5 * (1 + erf(z / 1.4142136))
    ```
    Source: Abramowitz and Stegun 7.1.1; keras.ops.erf.
    """

    keras = ("erf",)
    torch = ("erf",)

    @staticmethod
    def reference(x: Array) -> Array:
        return erf(x)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        square = build.add("square", [x], name=f"gradient.{x}.square")
        density = build.add("exponential", [build.add("negative", [square])], name=f"gradient.{x}.density")
        product = build.add("multiply", [upstream, density], name=f"gradient.{x}.product")
        return (scaled(build, product, 2.0 / sqrt(pi), f"gradient.{x}"),)


@layer("stop_gradient")
@op("stop_gradient")
class StopGradient(FunctionOp):
    """`y = x`, and nothing flows back: training takes the value for a constant. Any shape.

    ```kmodel
    loss_scale = stop_gradient(mean(error))
    ```
    Source: keras.ops.stop_gradient.
    """

    keras = ("stop_gradient",)
    torch = ("detach",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (None,)
