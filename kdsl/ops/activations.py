"""Activations: each class is what a user writes and the op it becomes.

An activation `f` comes with an op `f_gradient(upstream, value)`. `value` is the activation's output where the derivative
can be written with it, so that a fused kernel need not keep the input; else it is the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Layer, Param, layer, op
from kdsl.ops.type_rules import Elementwise, GradientOp
from kdsl.ops.unsuitable import refuse_classes
from kdsl.ops.vocabulary import absolute, erf, exp, expm1, maximum, minimum, sigmoid, softplus, tanh, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Activation(Layer, Elementwise):
    """A function applied to every element: input and result have one shape."""

    by: ClassVar[Literal["output", "input"]] = "output"  # what the derivative is written with

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        return build.add(cls.name, [as_float(build, values[0])], arguments, name=build.layer)

    @classmethod
    def gradient(cls, build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        value = node.name if cls.by == "output" else node.inputs[0]
        name = f"gradient.{node.inputs[0]}"
        return (build.add(f"{cls.name}_gradient", [upstream, value], node.keywords, name=name),)


@layer("linear")
@op("linear")
class Linear(Activation):
    """`y = x`: no activation. Any shape.

    ```kmodel
    h = x -> dense(64) -> linear
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("Identity", "linear")
    torch = ("Identity",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x

    @classmethod
    def gradient(cls, build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (upstream,)


@layer("relu")
@op("relu")
class Relu(Activation):
    """`y = max(x, 0)`. Any shape.

    ```kmodel
    h = x -> dense(64) -> relu
    ```
    Source: Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """

    keras = ("ReLU", "relu")
    torch = ("ReLU", "relu")

    @staticmethod
    def reference(x: Array) -> Array:
        return maximum(x, 0.0)


@op("relu_gradient")
class ReluGradient(GradientOp):
    """1 where the output is positive, else 0."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return where(y > 0.0, upstream, 0.0)


@layer("leaky_relu")
@op("leaky_relu")
class LeakyRelu(Activation):
    """`y = x` where x > 0, else `slope * x`. Any shape.

    ```kmodel
    h = x -> dense(64) -> leaky_relu(slope = 0.1)
    ```
    Source: Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
    """

    keras = ("LeakyReLU", "leaky_relu")
    torch = ("LeakyReLU",)
    slope = Param("number", "factor of negative inputs", 0.3, low=0.0, keras="negative_slope")

    @staticmethod
    def reference(x: Array, *, slope: float) -> Array:
        return where(x > 0.0, x, slope * x)


@op("leaky_relu_gradient")
class LeakyReluGradient(GradientOp):
    """1 where the output is positive, else the slope."""

    @staticmethod
    def reference(upstream: Array, y: Array, *, slope: float) -> Array:
        return where(y > 0.0, upstream, slope * upstream)


@layer("elu")
@op("elu")
class Elu(Activation):
    """`y = x` where x > 0, else `alpha * (exp(x) - 1)`. Any shape.

    ```kmodel
    h = x -> dense(64) -> elu
    ```
    Source: Clevert, Unterthiner and Hochreiter 2015, arXiv 1511.07289.
    """

    keras = ("ELU", "elu")
    torch = ("ELU",)
    alpha = Param("number", "minus the limit for large negative inputs", 1.0, low=0.0)

    @staticmethod
    def reference(x: Array, *, alpha: float) -> Array:
        return where(x > 0.0, x, alpha * expm1(minimum(x, 0.0)))


@op("elu_gradient")
class EluGradient(GradientOp):
    """1 where the output is positive, else `alpha * exp(x) = y + alpha`."""

    @staticmethod
    def reference(upstream: Array, y: Array, *, alpha: float) -> Array:
        return where(y > 0.0, upstream, upstream * (y + alpha))


@layer("selu")
@op("selu")
class Selu(Activation):
    """`y = 1.0507 * elu(x, alpha = 1.67326)`: keeps mean 0 and variance 1 from layer to layer. Any shape.

    ```kmodel
    h = x -> dense(64, init = lecun_normal) -> selu
    ```
    Source: Klambauer et al. 2017, arXiv 1706.02515; constants of keras/src/backend.
    """

    keras = ("selu",)
    torch = ("SELU",)

    @staticmethod
    def reference(x: Array) -> Array:
        return where(x > 0.0, 1.0507009873554805 * x, 1.7580993408473766 * expm1(minimum(x, 0.0)))


@op("selu_gradient")
class SeluGradient(GradientOp):
    """The scale where the output is positive, else `scale * alpha * exp(x) = y + scale * alpha`."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return where(y > 0.0, 1.0507009873554805 * upstream, upstream * (y + 1.7580993408473766))


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


@layer("hard_sigmoid")
@op("hard_sigmoid")
class HardSigmoid(Activation):
    """`y = relu6(x + 3) / 6`: a sigmoid of three straight lines. Any shape.

    ```kmodel
    gate = x -> dense(64) -> hard_sigmoid
    ```
    Source: keras/src/activations/activations.py of Keras 3 (Keras 2 had other slopes).
    """

    keras = ("hard_sigmoid",)
    torch = ("Hardsigmoid",)

    @staticmethod
    def reference(x: Array) -> Array:
        return minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0


@op("hard_sigmoid_gradient")
class HardSigmoidGradient(GradientOp):
    """1 / 6 where the output is between 0 and 1, else 0."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return where(y > 0.0, where(y < 1.0, upstream / 6.0, 0.0), 0.0)


@layer("hard_silu")
@op("hard_silu")
class HardSilu(Activation):
    """`y = x * relu6(x + 3) / 6`, also called hard swish. Any shape.

    ```kmodel
    h = x -> dense(64) -> hard_silu
    ```
    Source: Howard et al. 2019, arXiv 1905.02244 (MobileNetV3).
    """

    by = "input"
    keras = ("hard_silu", "hard_swish")
    torch = ("Hardswish",)

    @staticmethod
    def reference(x: Array) -> Array:
        return x * (minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0)


@op("hard_silu_gradient")
class HardSiluGradient(GradientOp):
    """0 below -3, 1 above 3, `(2 * x + 3) / 6` between."""

    @staticmethod
    def reference(upstream: Array, x: Array) -> Array:
        return where(x > -3.0, where(x < 3.0, upstream * ((2.0 * x + 3.0) / 6.0), upstream), 0.0)


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


@layer("relu6")
@op("relu6")
class Relu6(Activation):
    """`y = min(max(x, 0), 6)`. Any shape.

    ```kmodel
    h = x -> dense(64) -> relu6
    ```
    Source: Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10".
    """

    keras = ("relu6",)
    torch = ("ReLU6",)

    @staticmethod
    def reference(x: Array) -> Array:
        return minimum(maximum(x, 0.0), 6.0)


@op("relu6_gradient")
class Relu6Gradient(GradientOp):
    """1 where the output is between 0 and 6, else 0."""

    @staticmethod
    def reference(upstream: Array, y: Array) -> Array:
        return where(y > 0.0, where(y < 6.0, upstream, 0.0), 0.0)
