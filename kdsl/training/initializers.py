"""Initializers: Keras's names, defaults and distributions. The numbers themselves are drawn by NumPy's generator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kdsl.graph.graph import Attribute
from kdsl.ops.lazy import Array
from kdsl.ops.registry import Param
from kdsl.training import drawing
from kdsl.training.registry import INITIALIZERS, Initializer, initializer

__all__ = ["INITIALIZERS", "Initializer", "carried", "draw"]

SCALING = (drawing.fans, drawing.truncated_normal, drawing.variance_scaling)


def draw(value: tuple[str, tuple[tuple[str, Attribute], ...]], shape: tuple[int, ...], rng: Any) -> Array:
    """The array of one initializer value, (name, settings); settings that are left out have their default."""
    name, settings = value
    cls = INITIALIZERS[name]
    defaults = {key: param.default for key, param in cls.parameters.items()}
    return cls.draw(shape, rng, **{**defaults, **dict(settings)})


def carried(names: Iterable[str]) -> tuple[Callable[..., Any], ...]:
    """The functions that a module needs to draw these initializers, each once, called ones before their callers."""
    from inspect import unwrap  # slow to import, and needed only where a module is written

    found: dict[str, Callable[..., Any]] = {}
    for name in sorted(set(names)):
        cls = INITIALIZERS[name]
        found |= {f.__name__: f for f in (*cls.helpers, unwrap(cls.draw))}
    order = {name: line for line, name in enumerate(vars(drawing))}
    return tuple(found[name] for name in sorted(found, key=order.__getitem__))


@initializer("zeros")
class Zeros(Initializer):
    """Every element 0.

    ```kmodel
    h = x -> dense(10, bias_init = zeros)
    ```
    Source: keras/src/initializers.
    """

    keras = ("Zeros",)
    torch = ("zeros_",)
    draw = staticmethod(drawing.zeros)


@initializer("ones")
class Ones(Initializer):
    """Every element 1.

    ```kmodel
    h = x -> dense(10, bias_init = ones)
    ```
    Source: keras/src/initializers.
    """

    keras = ("Ones",)
    torch = ("ones_",)
    draw = staticmethod(drawing.ones)


@initializer("constant")
class Constant(Initializer):
    """Every element `value`.

    ```kmodel
    h = x -> dense(10, bias_init = constant(0.1))
    ```
    Source: keras/src/initializers.
    """

    keras = ("Constant",)
    torch = ("constant_",)
    value = Param("number", "value of every element", 0.0, positional=True)
    draw = staticmethod(drawing.constant)


@initializer("uniform")
class Uniform(Initializer):
    """Evenly from `minval` to `maxval`.

    ```kmodel
    h = x -> dense(10, init = uniform(minval = -0.1, maxval = 0.1))
    ```
    Source: keras/src/initializers.
    """

    keras = ("RandomUniform", "random_uniform")
    torch = ("uniform_",)
    minval = Param("number", "lower end", -0.05)
    maxval = Param("number", "upper end", 0.05)
    draw = staticmethod(drawing.uniform)


@initializer("normal")
class Normal(Initializer):
    """Normal numbers.

    ```kmodel
    h = x -> dense(10, init = normal(stddev = 0.02))
    ```
    Source: keras/src/initializers.
    """

    keras = ("RandomNormal", "random_normal")
    torch = ("normal_",)
    mean = Param("number", "their mean", 0.0)
    stddev = Param("number", "their standard deviation", 0.05, low=0.0)
    draw = staticmethod(drawing.normal)


@initializer("truncated_normal")
class TruncatedNormal(Initializer):
    """Normal numbers; those further than two deviations from the mean are drawn again.

    ```kmodel
    h = x -> dense(10, init = truncated_normal(stddev = 0.02))
    ```
    Source: keras/src/initializers.
    """

    keras = ("TruncatedNormal",)
    torch = ("trunc_normal_",)
    mean = Param("number", "their mean", 0.0)
    stddev = Param("number", "their standard deviation before the cut", 0.05, low=0.0)
    draw = staticmethod(drawing.truncated_normal)


@initializer("glorot_uniform")
class GlorotUniform(Initializer):
    """Evenly within `sqrt(6 / (fan_in + fan_out))` of 0. Glorot and Bengio 2010.

    ```kmodel
    h = x -> dense(10, init = glorot_uniform)
    ```
    Source: keras/src/initializers.
    """

    keras = ("GlorotUniform",)
    torch = ("xavier_uniform_",)
    draw = staticmethod(drawing.glorot_uniform)
    helpers = SCALING


@initializer("glorot_normal")
class GlorotNormal(Initializer):
    """Truncated normal numbers of variance `2 / (fan_in + fan_out)`. Glorot and Bengio 2010.

    ```kmodel
    h = x -> dense(10, init = glorot_normal)
    ```
    Source: keras/src/initializers.
    """

    keras = ("GlorotNormal",)
    torch = ("xavier_normal_",)
    draw = staticmethod(drawing.glorot_normal)
    helpers = SCALING


@initializer("he_uniform")
class HeUniform(Initializer):
    """Evenly within `sqrt(6 / fan_in)` of 0. He et al. 2015, arXiv 1502.01852.

    ```kmodel
    h = x -> dense(10, init = he_uniform) -> relu
    ```
    Source: keras/src/initializers.
    """

    keras = ("HeUniform",)
    torch = ("kaiming_uniform_",)
    draw = staticmethod(drawing.he_uniform)
    helpers = SCALING


@initializer("he_normal")
class HeNormal(Initializer):
    """Truncated normal numbers of variance `2 / fan_in`. He et al. 2015, arXiv 1502.01852.

    ```kmodel
    h = x -> dense(10, init = he_normal) -> relu
    ```
    Source: keras/src/initializers.
    """

    keras = ("HeNormal",)
    torch = ("kaiming_normal_",)
    draw = staticmethod(drawing.he_normal)
    helpers = SCALING


@initializer("lecun_uniform")
class LecunUniform(Initializer):
    """Evenly within `sqrt(3 / fan_in)` of 0. LeCun et al. 1998.

    ```kmodel
    h = x -> dense(10, init = lecun_uniform)
    ```
    Source: keras/src/initializers.
    """

    keras = ("LecunUniform",)
    draw = staticmethod(drawing.lecun_uniform)
    helpers = SCALING


@initializer("lecun_normal")
class LecunNormal(Initializer):
    """Truncated normal numbers of variance `1 / fan_in`. LeCun et al. 1998.

    ```kmodel
    h = x -> dense(10, init = lecun_normal) -> selu
    ```
    Source: keras/src/initializers.
    """

    keras = ("LecunNormal",)
    draw = staticmethod(drawing.lecun_normal)
    helpers = SCALING


@initializer("orthogonal")
class Orthogonal(Initializer):
    """An orthogonal matrix times `gain`: the QR decomposition of normal numbers. Saxe et al. 2013, arXiv 1312.6120.

    ```kmodel
    h = x -> dense(10, init = orthogonal)
    ```
    Source: keras/src/initializers.
    """

    keras = ("Orthogonal", "OrthogonalInitializer")
    torch = ("orthogonal_",)
    gain = Param("number", "factor of every element", 1.0)
    draw = staticmethod(drawing.orthogonal)


@initializer("variance_scaling")
class VarianceScaling(Initializer):
    """Numbers of variance `scale / fan`, where `fan` counts inputs, outputs, or is the mean of both.

    ```kmodel
    h = x -> dense(10, init = variance_scaling(scale = 2.0, mode = fan_in))
    ```
    Source: keras/src/initializers.
    """

    keras = ("VarianceScaling",)
    scale = Param("number", "variance times fan", 1.0, low=0.0, open="low")
    mode = Param("word", "what the variance is divided by", "fan_in", words=("fan_in", "fan_out", "fan_avg"))
    distribution = Param(
        "word",
        "how the numbers are spread",
        "truncated_normal",
        words=("truncated_normal", "untruncated_normal", "uniform"),
    )
    draw = staticmethod(drawing.variance_scaling)
    helpers = SCALING[:-1]
