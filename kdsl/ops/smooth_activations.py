"""Activations of one smooth formula: the sigmoids, what is made of them, and the exponential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Node
from kdsl.ops.activation import Activation
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Param, layer, op
from kdsl.ops.type_rules import Elementwise, GradientOp
from kdsl.ops.vocabulary import absolute, erf, exp, expm1, sigmoid, softplus, tanh

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("gelu")
@op("gelu")
class Gelu(Activation):
    """`y = x * P(X <= x)` of a standard normal X: `0.5 * x * (1 + erf(x / sqrt(2)))`. Any shape.

    With `approximate = true` it is `0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))`.

    ```kmodel
    h = x -> dense(64) -> gelu
    ```
    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415.
    """

    by = "input"
    keras = ("gelu",)
    torch = ("GELU",)
    approximate = Param("bool", "the tanh formula instead of the exact one", False)

    @staticmethod
    def reference(x: Array) -> Array:
        return 0.5 * x * (1.0 + erf(x * 0.7071067811865476))

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        formula = "gelu_tanh" if arguments["approximate"] else "gelu"
        return build.add(formula, [as_float(build, values[0])], name=build.layer)


@op("gelu_gradient")
class GeluGradient(GradientOp):
    """`P(X <= x) + x * density(x)` of a standard normal X."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return upstream * (0.5 + 0.5 * erf(x * 0.7071067811865476) + x * (0.3989422804014327 * exp(-0.5 * x * x)))


@op("gelu_tanh")
class GeluTanh(Elementwise):
    """`y = 0.5 * x * (1 + tanh(u))`, `u = sqrt(2 / pi) * (x + 0.044715 * x ** 3)`."""

    @staticmethod
    def reference(x: Array) -> Array:
        return 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        return (build.add("gelu_tanh_gradient", [upstream, x], name=f"gradient.{x}"),)


@op("gelu_tanh_gradient")
class GeluTanhGradient(GradientOp):
    """`(1 + t) / 2 + x * (1 - t * t) / 2 * du/dx`, where `t = tanh(u)`."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return upstream * (
            0.5
            + 0.5 * tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))
            + 0.5
            * x
            * (1.0 - tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
            * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
            * (0.7978845608028654 + 0.1070322243 * x * x)
        )


@layer("silu")
@op("silu")
class Silu(Activation):
    """`y = x * sigmoid(x)`, also called swish. Any shape.

    ```kmodel
    h = x -> dense(64) -> silu
    ```
    Source: Ramachandran, Zoph and Le 2017, arXiv 1710.05941.
    """

    by = "input"
    keras = ("silu", "swish")
    torch = ("SiLU",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x * sigmoid(x)


@op("silu_gradient")
class SiluGradient(GradientOp):
    """`s * (1 + x * (1 - s))`, where `s = sigmoid(x)`."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return upstream * (sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))))


@layer("softplus")
@op("softplus")
class Softplus(Activation):
    """`y = log(1 + exp(x))`. Any shape.

    ```kmodel
    h = x -> dense(64) -> softplus
    ```
    Source: Glorot, Bordes and Bengio 2011, "Deep sparse rectifier neural networks".
    """

    keras = ("softplus",)
    torch = ("Softplus",)

    @staticmethod
    def reference(x: Array) -> Array:
        return softplus(x)


@op("softplus_gradient")
class SoftplusGradient(GradientOp):
    """`sigmoid(x) = 1 - exp(-y)`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return upstream * -expm1(-y)


@layer("softsign")
@op("softsign")
class Softsign(Activation):
    """`y = x / (1 + |x|)`. Any shape.

    ```kmodel
    h = x -> dense(64) -> softsign
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("softsign",)
    torch = ("Softsign",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x / (1.0 + absolute(x))


@op("softsign_gradient")
class SoftsignGradient(GradientOp):
    """`1 / (1 + |x|) ** 2 = (1 - |y|) ** 2`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return upstream * ((1.0 - absolute(y)) * (1.0 - absolute(y)))


@layer("tanh")
@op("tanh")
class Tanh(Activation):
    """`y = tanh(x)`, between -1 and 1. Any shape.

    ```kmodel
    h = x -> dense(64) -> tanh
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("tanh",)
    torch = ("Tanh",)

    @staticmethod
    def reference(x: Array) -> Array:
        return tanh(x)


@op("tanh_gradient")
class TanhGradient(GradientOp):
    """`1 - y * y`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return upstream * (1.0 - y * y)


@layer("sigmoid")
@op("sigmoid")
class Sigmoid(Activation):
    """`y = 1 / (1 + exp(-x))`, between 0 and 1. Any shape.

    ```kmodel
    gate = x -> dense(64) -> sigmoid
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("sigmoid",)
    torch = ("Sigmoid",)

    @staticmethod
    def reference(x: Array) -> Array:
        return sigmoid(x)


@op("sigmoid_gradient")
class SigmoidGradient(GradientOp):
    """`y * (1 - y)`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return upstream * (y * (1.0 - y))


@layer("mish")
@op("mish")
class Mish(Activation):
    """`y = x * tanh(softplus(x))`. Any shape.

    ```kmodel
    h = x -> dense(64) -> mish
    ```
    Source: Misra 2019, arXiv 1908.08681.
    """

    by = "input"
    keras = ("mish",)
    torch = ("Mish",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x * tanh(softplus(x))


@op("mish_gradient")
class MishGradient(GradientOp):
    """`t + x * (1 - t * t) * sigmoid(x)`, where `t = tanh(softplus(x))`."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return upstream * (tanh(softplus(x)) + x * ((1.0 - tanh(softplus(x)) * tanh(softplus(x))) * sigmoid(x)))


@layer("exponential")
@op("exponential")
class Exponential(Activation):
    """`y = exp(x)`. Any shape.

    ```kmodel
    rate = x -> dense(1) -> exponential
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("exponential",)

    @staticmethod
    def reference(x: Array) -> Array:
        return exp(x)


@op("exponential_gradient")
class ExponentialGradient(GradientOp):
    """`exp(x) = y`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return upstream * y
