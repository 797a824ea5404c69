"""Activations with one formula on each side of a kink: relu and its relatives, and the sigmoid made of straight lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdsl.graph.graph import Node
from kdsl.ops.activation import Activation
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Param, layer, op
from kdsl.ops.type_rules import GradientOp
from kdsl.ops.vocabulary import expm1, maximum, minimum, where

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("linear")
@op("linear")
class Linear(Activation):
    """`y = x`: no activation. Any shape.

    ```kmodel
    h = x -> dense(64) -> linear
    ```
    Source: keras/src/activations/activations.py.
    """

    keras = ("linear",)

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
