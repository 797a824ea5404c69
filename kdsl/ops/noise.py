"""Noise in training: whole channels left out, and numbers drawn from a normal distribution added or multiplied.

The draws are those of `dropout` and `random_normal`: from counters, the same for both targets and any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.dropout import next_stream
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Layer, Param, Refused, layer, op
from kdsl.ops.type_rules import Elementwise
from kdsl.ops.unsuitable import a_shape, refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

LOWEST = -1.6732632423543772 * 1.0507009873554805  # what `selu` makes of numbers far below 0


@op("while_training")
class WhileTraining(Elementwise):
    """`y` is the first input in training, and the second at inference: the pass `inference` puts it there."""

    @staticmethod
    def reference(noisy: Array, plain: Array) -> Array:
        return noisy

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return upstream, None


class Noise(Layer):
    """What is done to x in training; at inference x goes on as it is."""

    samples = True

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        x = as_float(build, values[0])
        return build.add("while_training", [cls.noisy(build, arguments, x), x], name=build.layer)

    @classmethod
    def noisy(cls, build: Builder, arguments: Mapping[str, Any], x: str) -> str:
        raise NotImplementedError


def normal_like(build: Builder, x: str, stddev: float, mean: float = 0.0) -> str:
    """A number for every element of x from a normal distribution."""
    attributes: dict[str, Attribute] = {
        "shape": build.type_of(x).shape,
        "stream": next_stream(build),
        "always": False,
    }
    drawn = build.add("multiply", [build.add("random_normal", [x], attributes), build.constant(stddev)])
    return drawn if mean == 0.0 else build.add("add", [drawn, build.constant(mean)])


def mask_like(build: Builder, x: str, shape: Sequence[int], rate: float) -> str:
    """For every element of a shape 0, with probability `rate`, or else `1 / (1 - rate)`."""
    ones = build.add("full", [x], {"shape": tuple(shape), "value": 1.0}, name=build.path("ones"))
    return build.add("dropout", [ones], {"rate": rate, "stream": next_stream(build)}, name=build.path("mask"))


@layer("spatial_dropout")
class SpatialDropout(Noise):
    """In training, every channel is 0 at all places with probability `rate`, or else divided by `1 - rate`.

    Neighbours in a picture are alike, so that leaving out single numbers would leave out little. x: [.., channels].

    ```kmodel
    h = image -> conv(32, kernel = 3) -> relu -> spatial_dropout(0.2)
    ```
    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks";
    keras/src/layers/regularization/spatial_dropout.py.
    """

    keras = ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
    torch = ("Dropout1d", "Dropout2d", "Dropout3d")
    rate = Param("number", "share of the channels that is set to 0", positional=True, low=0.0, high=1.0)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        super().guard(arguments, types)
        if types[0].rank < 2:
            raise Refused(
                "E401",
                f"`spatial_dropout` leaves out whole channels, but gets {a_shape(types[0])}",
                label="wants [.., channels]",
                help="`dropout` leaves out single numbers",
            )

    @classmethod
    def noisy(cls, build: Builder, arguments: Mapping[str, Any], x: str) -> str:
        shape = build.type_of(x).shape
        mask = mask_like(build, x, (1,) * (len(shape) - 1) + shape[-1:], float(arguments["rate"]))
        return build.add("multiply", [x, mask])


@layer("gaussian_noise")
class GaussianNoise(Noise):
    """In training, `y = x + stddev * n` with n drawn from a normal distribution for every element. Any shape.

    ```kmodel
    h = image -> rescale(1 / 255) -> gaussian_noise(0.1) -> flatten -> dense(64)
    ```
    Source: keras/src/layers/regularization/gaussian_noise.py.
    """

    keras = ("GaussianNoise",)
    stddev = Param("number", "deviation of the noise", positional=True, low=0.0)

    @classmethod
    def noisy(cls, build: Builder, arguments: Mapping[str, Any], x: str) -> str:
        return build.add("add", [x, normal_like(build, x, arguments["stddev"])])


@layer("gaussian_dropout")
class GaussianDropout(Noise):
    """In training, `y = x * n` with n drawn for every element from a normal distribution around 1, of deviation
    `sqrt(rate / (1 - rate))`: that of the masks of `dropout(rate)`. Any shape.

    ```kmodel
    h = x -> dense(128) -> relu -> gaussian_dropout(0.2)
    ```
    Source: Srivastava et al. 2014, section 10; keras/src/layers/regularization/gaussian_dropout.py.
    """

    keras = ("GaussianDropout",)
    rate = Param("number", "rate of the dropout that it stands for", positional=True, low=0.0, high=1.0, open="high")

    @classmethod
    def noisy(cls, build: Builder, arguments: Mapping[str, Any], x: str) -> str:
        rate = arguments["rate"]
        return build.add("multiply", [x, normal_like(build, x, sqrt(rate / (1.0 - rate)), mean=1.0)])


@layer("alpha_dropout")
class AlphaDropout(Noise):
    """In training, elements are set to the value that `selu` has far below 0, with probability `rate`, and then all are
    scaled and moved so that mean and variance stay 0 and 1. Any shape.

    ```kmodel
    h = x -> dense(128, init = lecun_normal) -> selu -> alpha_dropout(0.1)
    ```
    Source: Klambauer et al. 2017, "Self-normalizing neural networks"; keras/src/layers/regularization/alpha_dropout.py.
    """

    keras = ("AlphaDropout",)
    torch = ("AlphaDropout",)
    rate = Param("number", "share of the elements that is set", positional=True, low=0.0, high=1.0, open="high")

    @classmethod
    def noisy(cls, build: Builder, arguments: Mapping[str, Any], x: str) -> str:
        rate = float(arguments["rate"])
        factor = 1.0 / sqrt((1.0 - rate) * (1.0 + rate * LOWEST**2))
        mask = mask_like(build, x, build.type_of(x).shape, rate)
        kept = build.add("where", [mask, x, build.constant(LOWEST)])
        scaled = build.add("multiply", [kept, build.constant(factor)])
        return build.add("add", [scaled, build.constant(-factor * LOWEST * rate)])
