"""Sum, mean, largest and smallest value over some axes, and the op that undoes them: broadcast_to.

Axes count from the first one after the batch. The batch itself is never reduced here: `kdsl.ops.losses.Mean` and `sum_to`
do that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.arithmetic import summed_like
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.operators import reshaped
from kdsl.ops.registry import Cost, Layer, Op, Param, Refused, layer, op
from kdsl.ops.type_rules import broadcast_shape, need_float, positive_axis, whole_numbers
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def reduced(build: Builder, op: str, value: str, axes: Sequence[int] | None, keep: bool = False, name: str = "") -> str:
    """A `reduce_` op over these axes, negative ones counted from the end; None stands for all of them."""
    type = build.type_of(value)
    every = range(type.rank) if axes is None else (positive_axis(axis, type.rank) for axis in axes)
    return build.add(op, [value], {"axes": tuple(sorted(every)), "keep": keep}, name=name)


class Reduction(Op):
    run_time = ("batched",)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,), axes = types, whole_numbers(attributes["axes"])
        need_float(type)
        if list(axes) != sorted(set(axes)) or any(not 0 <= axis < type.rank for axis in axes):
            raise ValueError(f"no axes {axes} in {type}")
        if attributes["keep"]:
            return type.with_shape(*(1 if i in axes else size for i, size in enumerate(type.shape)))
        return type.with_shape(*(size for i, size in enumerate(type.shape) if i not in axes))

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(types[0].size, types[0].size + result.size)


def kept(build: Builder, node: Node, value: str) -> str:
    """A value of a reduction's shape, its reduced axes there with size 1."""
    shape, axes = build.type_of(node.inputs[0]).shape, whole_numbers(node.attribute("axes"))
    with_ones = tuple(1 if i in axes else size for i, size in enumerate(shape))
    return reshaped(build, value, with_ones, f"gradient.{node.inputs[0]}.kept")


def spread(build: Builder, node: Node, value: str) -> str:
    """A value of a reduction's shape, repeated along the reduced axes: of its input's shape."""
    (x,) = node.inputs
    value, shape = kept(build, node, value), build.type_of(x).shape
    if build.type_of(value).shape == shape:
        return value
    return build.add("broadcast_to", [value], {"shape": shape}, name=f"gradient.{x}")


@op("reduce_sum")
class ReduceSum(Reduction):
    """`y` is the sum over `axes`."""

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], keep: bool, batched: bool) -> Array:
        return x.sum(axis=tuple(axis + batched for axis in axes), keepdims=keep)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (spread(build, node, upstream),)


@op("reduce_mean")
class ReduceMean(Reduction):
    """`y` is the mean over `axes`."""

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], keep: bool, batched: bool) -> Array:
        return x.mean(axis=tuple(axis + batched for axis in axes), keepdims=keep)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        shape = build.type_of(x).shape
        count = prod(shape[axis] for axis in whole_numbers(node.attribute("axes")))
        share = build.add("multiply", [upstream, build.constant(1.0 / count)], name=f"gradient.{x}.share")
        return (spread(build, node, share),)


class ReduceExtreme(Reduction):
    """The gradient goes to the places where the value was found, in equal shares."""

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        (x,) = node.inputs
        found = build.add("equal", [x, kept(build, node, node.name)], name=f"gradient.{x}.found")
        places = build.add("cast", [found], name=f"gradient.{x}.places")
        attributes = {**node.keywords, "keep": True}
        count = build.add("reduce_sum", [places], attributes, name=f"gradient.{x}.count")
        share = build.add("divide", [kept(build, node, upstream), count], name=f"gradient.{x}.share")
        return (build.add("multiply", [places, share], name=f"gradient.{x}"),)


@op("reduce_max")
class ReduceMax(ReduceExtreme):
    """`y` is the largest value over `axes`; NaN wins."""

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], keep: bool, batched: bool) -> Array:
        return x.max(axis=tuple(axis + batched for axis in axes), keepdims=keep)


@op("reduce_min")
class ReduceMin(ReduceExtreme):
    """`y` is the smallest value over `axes`; NaN wins."""

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], keep: bool, batched: bool) -> Array:
        return x.min(axis=tuple(axis + batched for axis in axes), keepdims=keep)


@layer("broadcast_to")
@op("broadcast_to")
class BroadcastTo(Layer, Op):
    """`y` is x, repeated along its axes of size 1, or along new leading ones, until it has the given shape.

    ```kmodel
    rows = broadcast_to(x, [10, 64])
    ```
    Source: numpy.broadcast_to. Operators repeat by themselves.
    """

    function = True
    keras = ("broadcast_to",)
    torch = ("expand", "broadcast_to")
    shape = Param("shape", "sizes of the axes, without the batch", positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("broadcast_to", types[0])
        shape = arguments["shape"]
        if broadcast_shape([types[0].shape, shape]) != shape:
            raise Refused(
                "E402",
                f"{types[0].dims} cannot be repeated to [{', '.join(map(str, shape))}]",
                argument="shape",
                help="counted from the last axis, a size is the same as before, or was 1",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x, shape = as_float(build, values[0]), arguments["shape"]
        type = build.type_of(x)
        x = reshaped(build, x, (1,) * (len(shape) - type.rank) + type.shape)
        return build.add("broadcast_to", [x], {"shape": shape}, name=build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(types[0])
        shape = whole_numbers(attributes["shape"])
        if len(shape) != types[0].rank or broadcast_shape([types[0].shape, shape]) != shape:
            raise ValueError(f"{types[0]} cannot be repeated to {shape}")
        return types[0].with_shape(*shape)

    @staticmethod
    def reference(x: Array, *, shape: tuple[int, ...]) -> Array:
        return np.broadcast_to(x, (*x.shape[: x.ndim - len(shape)], *shape))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        return (summed_like(build, upstream, node.inputs[0]),)


class ArgExtreme(Op):
    """Counts the axis from the end, so that the batch does not shift it."""

    differentiable = False

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,), axis = types, attributes["axis"]
        need_float(type)
        if not isinstance(axis, int) or not -type.rank <= axis < 0:
            raise ValueError(f"no axis {axis} in {type}")
        place = axis + type.rank
        return TensorType("i32", type.shape[:place] + type.shape[place + 1 :], type.batched)

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(types[0].size, types[0].size + result.size)


@op("argmax")
class Argmax(ArgExtreme):
    """`y` is the place of the largest value along `axis`, the first of equal ones; the first NaN wins."""

    @staticmethod
    def reference(x: Array, *, axis: int) -> Array:
        return x.argmax(axis=axis).astype(np.int32)


@op("argmin")
class Argmin(ArgExtreme):
    """`y` is the place of the smallest value along `axis`, the first of equal ones; the first NaN wins."""

    @staticmethod
    def reference(x: Array, *, axis: int) -> Array:
        return x.argmin(axis=axis).astype(np.int32)
