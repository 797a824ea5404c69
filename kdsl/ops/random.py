"""Random values, drawn from counters as the masks of dropout are: the same for every target and number of threads.

A value's rows are as many as the batch has. The graph's only measure of that is another batched value, the `anchor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.dropout import next_stream
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Layer, Op, Param, Refused, layer, op
from kdsl.ops.type_rules import whole_numbers

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Made(Op):
    """A batched value of `shape` that is not computed from the anchor, which only says how many rows there are."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        if not types[0].batched:
            raise ValueError(f"the anchor {types[0]} has no batch")
        return TensorType("f32", whole_numbers(attributes["shape"]))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (None,)


@op("full")
class Full(Made):
    """`y = value` in every place of `shape`, for each sample."""

    run_time = ("dtype",)

    @staticmethod
    def reference(anchor: Array, *, shape: tuple[int, ...], value: float, dtype: Array) -> Array:
        return np.full((len(anchor), *shape), value, dtype)


@op("random_uniform")
class RandomUniform(Made):
    """`y` is drawn evenly from 0 up to (not including) 1: element i from a hash of (seed, step, stream, 2 * i)."""

    run_time = ("seed", "step", "dtype")

    @staticmethod
    def reference(
        anchor: Array, *, shape: tuple[int, ...], stream: int, always: bool, seed: int, step: int, dtype: Array
    ) -> Array:
        def mix(h: Array) -> Array:
            h = (h ^ (h >> 16)) * 0x7FEB352D & 0xFFFFFFFF
            h = (h ^ (h >> 15)) * 0x846CA68B & 0xFFFFFFFF
            return h ^ (h >> 16)

        key = mix((seed * 0x9E3779B1 + 1) & 0xFFFFFFFF)
        key = mix((key + step * 0x85EBCA6B) & 0xFFFFFFFF)
        key = mix((key + stream * 0xC2B2AE35) & 0xFFFFFFFF)
        full = (len(anchor), *shape)
        element = np.arange(int(np.prod(full)), dtype=np.uint64).reshape(full) * np.uint64(2)
        hashed = mix((element * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)) ^ np.uint64(key))
        return (hashed >> np.uint64(8)).astype(dtype) * np.asarray(2.0**-24, dtype)


@op("random_normal")
class RandomNormal(Made):
    """`y = sqrt(-2 * log(1 - u)) * cos(2 * pi * v)`: mean 0, deviation 1 (Box and Muller 1958).

    u and v are drawn evenly, for element i from hashes of (seed, step, stream, 2 * i) and (.., 2 * i + 1).
    """

    run_time = ("seed", "step", "dtype")

    @staticmethod
    def reference(
        anchor: Array, *, shape: tuple[int, ...], stream: int, always: bool, seed: int, step: int, dtype: Array
    ) -> Array:
        def mix(h: Array) -> Array:
            h = (h ^ (h >> 16)) * 0x7FEB352D & 0xFFFFFFFF
            h = (h ^ (h >> 15)) * 0x846CA68B & 0xFFFFFFFF
            return h ^ (h >> 16)

        key = mix((seed * 0x9E3779B1 + 1) & 0xFFFFFFFF)
        key = mix((key + step * 0x85EBCA6B) & 0xFFFFFFFF)
        key = mix((key + stream * 0xC2B2AE35) & 0xFFFFFFFF)
        full = (len(anchor), *shape)
        element = np.arange(int(np.prod(full)), dtype=np.uint64).reshape(full) * np.uint64(2)

        def drawn(element: Array) -> Array:
            hashed = mix((element * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)) ^ np.uint64(key))
            return (hashed >> np.uint64(8)).astype(dtype) * np.asarray(2.0**-24, dtype)

        radius = np.sqrt(np.asarray(-2.0, dtype) * np.log1p(-drawn(element)))
        return radius * np.cos(np.asarray(2.0 * np.pi, dtype) * drawn(element + np.uint64(1)))


class Draw(Layer):
    """Random values. In training they are drawn anew each step; at inference they are the distribution's mean."""

    function = True
    ir: ClassVar[str]

    @classmethod
    def drawn(cls, build: Builder, arguments: Mapping[str, Any], anchor: str, shape: tuple[int, ...]) -> str:
        attributes = {"shape": shape, "stream": next_stream(build), "always": arguments["sample"] == "always"}
        scale, offset = cls.scale_and_offset(arguments)
        value = build.add(cls.ir, [anchor], attributes, name="" if (scale, offset) != (1.0, 0.0) else build.layer)
        if scale != 1.0:
            name = build.layer if offset == 0.0 else ""
            value = build.add("multiply", [value, build.constant(scale, build.path("scale"))], name=name)
        if offset != 0.0:
            value = build.add("add", [value, build.constant(offset, build.path("offset"))], name=build.layer)
        return value

    @staticmethod
    def scale_and_offset(arguments: Mapping[str, Any]) -> tuple[float, float]:
        raise NotImplementedError


class DrawShape(Draw):
    """Values of a given shape for each sample."""

    arity = (0, 0)
    shape = Param("shape", "sizes of the axes, without the batch", positional=True)

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        if -1 in arguments["shape"]:
            raise Refused("E410", f"`{cls.name}` is told every size: -1 stands for no size here", argument="shape")

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        anchor = next(node.name for node in build.nodes if node.op == "input")
        return cls.drawn(build, arguments, anchor, arguments["shape"])


class DrawLike(Draw):
    """Values of another value's shape."""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        if not types[0].batched:
            raise Refused(
                "E433",
                f"`{cls.name}` draws for each sample, but {{0}} is one value for all of them",
                label="has no batch",
                help=f"`{cls.name.removesuffix('_like')}([{', '.join(map(str, types[0].shape))}])` draws for each sample",
            )

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        return cls.drawn(build, arguments, values[0], build.type_of(values[0]).shape)


class FromNormal(Draw):
    ir = "random_normal"
    mean = Param("number", "mean of the distribution", 0.0)
    stddev = Param("number", "deviation of the distribution", 1.0, low=0.0)
    sample = Param("word", "when to draw: else it is the mean", "training", words=("training", "always"))

    @staticmethod
    def scale_and_offset(arguments: Mapping[str, Any]) -> tuple[float, float]:
        return arguments["stddev"], arguments["mean"]


class FromUniform(Draw):
    ir = "random_uniform"
    low = Param("number", "smallest value", 0.0)
    high = Param("number", "bound that no value reaches", 1.0)
    sample = Param("word", "when to draw: else it is the mean", "training", words=("training", "always"))

    @staticmethod
    def scale_and_offset(arguments: Mapping[str, Any]) -> tuple[float, float]:
        return arguments["high"] - arguments["low"], arguments["low"]


@layer("normal")
class Normal(FromNormal, DrawShape):
    """`y` is drawn from a normal distribution, of the given shape for each sample.

    Drawn anew in every training step. At inference it is the mean, or with `sample = always` drawn as in step 0.

    ```kmodel
    z = normal([16])
    ```
    Source: keras.random.normal; Box and Muller 1958.
    """

    keras = ("random_normal",)
    torch = ("randn",)


@layer("normal_like")
class NormalLike(FromNormal, DrawLike):
    """`y` is drawn from a normal distribution, of the shape of x.

    Drawn anew in every training step. At inference it is the mean, or with `sample = always` drawn as in step 0.

    ```kmodel
    z = mean + exp(0.5 * log_variance) * normal_like(mean)
    ```
    Source: keras.random.normal; Box and Muller 1958.
    """

    torch = ("randn_like",)


@layer("uniform")
class Uniform(FromUniform, DrawShape):
    """`y` is drawn evenly from `low` to `high`, of the given shape for each sample.

    Drawn anew in every training step. At inference it is the mean, or with `sample = always` drawn as in step 0.

    ```kmodel
    t = uniform([1])
    ```
    Source: keras.random.uniform.
    """

    keras = ("random_uniform",)
    torch = ("rand",)


@layer("uniform_like")
class UniformLike(FromUniform, DrawLike):
    """`y` is drawn evenly from `low` to `high`, of the shape of x.

    Drawn anew in every training step. At inference it is the mean, or with `sample = always` drawn as in step 0.

    ```kmodel
    noisy = x + uniform_like(x, low = -0.1, high = 0.1)
    ```
    Source: keras.random.uniform.
    """

    torch = ("rand_like",)
