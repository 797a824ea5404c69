"""Axes of size 1 come and go, and a tensor is laid out several times: compositions of reshape and broadcast_to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes
from kdsl.ops.cast import as_float
from kdsl.ops.operators import reshaped
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.type_rules import positive_axis
from kdsl.ops.unsuitable import refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


@layer("expand_dims")
class ExpandDims(Layer):
    """A new axis of size 1, or several; `axis` says where they stand in the result.

    ```kmodel
    column = expand_dims(x, axis = -1)
    ```
    Source: numpy.expand_dims.
    """

    function = True
    keras = ("expand_dims",)
    torch = ("unsqueeze",)
    axis = Param("axes", "place of the new axis in the result, or a list of places", positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        axes = arguments["axis"]
        check_axes("expand_dims", axes, types[0].with_shape(*types[0].shape, *(1 for _ in axes)))

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        sizes, axes = build.type_of(values[0]).shape, arguments["axis"]
        rank, left = len(sizes) + len(axes), iter(sizes)
        new = {positive_axis(axis, rank) for axis in axes}
        shape = tuple(1 if place in new else next(left) for place in range(rank))
        return build.add("reshape", [values[0]], {"shape": shape}, name=build.layer)


@layer("squeeze")
class Squeeze(Layer):
    """Without its axes of size 1, or without those that `axis` names.

    ```kmodel
    price = x -> dense(1) -> squeeze
    ```
    Source: numpy.squeeze. The batch stays, also a batch of one.
    """

    function = True
    keras = ("squeeze",)
    torch = ("squeeze",)
    axis = Param("axes", "the axis that goes, or a list of them; without it all of size 1", None, positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), axes = types, arguments["axis"] or ()
        check_axes("squeeze", axes, type)
        for axis in axes:
            if type.shape[axis] != 1:
                raise Refused(
                    "E412",
                    f"`squeeze` takes away axes of size 1, but axis {axis} of {type.dims} has {type.shape[axis]} places",
                    argument="axis",
                    label=f"{type.shape[axis]} places",
                    help="`reshape` joins axes; `mean`, `max` or `x[0]` make one place of many",
                )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        sizes, axes = build.type_of(values[0]).shape, arguments["axis"]
        if axes is None:
            shape = tuple(size for size in sizes if size != 1)
        else:
            gone = {positive_axis(axis, len(sizes)) for axis in axes}
            shape = tuple(size for place, size in enumerate(sizes) if place not in gone)
        return build.add("reshape", [values[0]], {"shape": shape}, name=build.layer)


@layer("tile")
class Tile(Layer):
    """The whole of x several times behind itself: `counts` has a number for each axis, the last ones if there are fewer.

    ```kmodel
    board = tile(pattern, [8, 8, 1])
    ```
    Source: numpy.tile. More counts than axes make new leading axes.
    """

    function = True
    keras = ("tile",)
    torch = ("tile",)
    counts = Param("shape", "how often along each axis, the last one last", positional=True, keras="repeats")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("tile", types[0])
        if -1 in arguments["counts"]:
            raise Refused("E412", "`tile` wants to know how often: -1 is no count", argument="counts")

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x, counts = as_float(build, values[0]), arguments["counts"]
        shape = build.type_of(x).shape
        rank = max(len(shape), len(counts))
        sizes = (1,) * (rank - len(shape)) + shape
        counts = (1,) * (rank - len(counts)) + counts
        once = reshaped(build, x, tuple(n for size in sizes for n in (1, size)), build.path("once"))
        whole = tuple(n for pair in zip(counts, sizes, strict=True) for n in pair)
        often = build.add("broadcast_to", [once], {"shape": whole})
        joined = tuple(count * size for count, size in zip(counts, sizes, strict=True))
        return build.add("reshape", [often], {"shape": joined}, name=build.layer)


@layer("repeat_vector")
class RepeatVector(Layer):
    """The same vector at every step of a sequence: [features] -> [n, features].

    ```kmodel
    steps = code -> repeat_vector(10)
    ```
    Source: keras/src/layers/reshaping/repeat_vector.py.
    """

    keras = ("RepeatVector",)
    n = Param("size", "number of steps", positional=True)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes("repeat_vector", types[0])
        if types[0].rank != 1:
            what = f"{types[0].rank} axes {types[0].dims}" if types[0].rank else "a single number"
            raise Refused(
                "E401",
                f"`repeat_vector` repeats a vector, but gets {what}",
                label="wants [features]",
                help="`broadcast_to` and `tile` repeat other shapes",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        x, n = as_float(build, values[0]), arguments["n"]
        (features,) = build.type_of(x).shape
        row = build.add("reshape", [x], {"shape": (1, features)}, name=build.path("row"))
        return build.add("broadcast_to", [row], {"shape": (n, features)}, name=build.layer)


@layer("identity")
class Identity(Layer):
    """`y = x`: a step that does nothing, for a place where a step must stand. Any type.

    ```kmodel
    skip = x -> if out == C then identity else dense(out)
    ```
    Source: keras/src/layers/core/identity.py. It costs nothing: compiled models do not contain it.
    """

    keras = ("Identity",)
    torch = ("Identity",)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return build.add("reshape", [values[0]], {"shape": build.type_of(values[0]).shape}, name=build.layer)
