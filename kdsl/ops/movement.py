"""The same numbers in other places: axes in another order, turned round, cut out, framed.

Axes count from the first one after the batch. Ops keep the dtype of what they move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axes, check_permutation
from kdsl.ops.cast import as_float
from kdsl.ops.lazy import Array, np
from kdsl.ops.registry import Cost, Layer, Op, Param, Refused, layer, op
from kdsl.ops.type_rules import positive_axis, whole_numbers

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


class Movement(Op):
    """Computes nothing: elements are read and written. Of other dtypes than f32 nothing flows back."""

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(0, 2 * min(result.size, max(t.size for t in types)))


# -- the order of the axes -----------------------------------------------------------------------------


class AxesInOrder(Layer):
    """Its argument is a permutation of the axes; None reverses them."""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        if arguments["axes"] is not None:
            check_permutation(cls.name, arguments["axes"], types[0])

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        rank = build.type_of(values[0]).rank
        given = range(rank - 1, -1, -1) if arguments["axes"] is None else arguments["axes"]
        axes = tuple(positive_axis(axis, rank) for axis in given)
        return build.add("transpose", [values[0]], {"axes": axes}, name=build.layer)


@layer("transpose")
@op("transpose")
class Transpose(AxesInOrder, Movement):
    """The axes in another order: axis i of the result is axis `axes[i]` of x. Without `axes` they are reversed.

    ```kmodel
    scores = q @ transpose(k)
    swapped = transpose(x, [1, 0, 2])
    ```
    Source: numpy.transpose. The batch stays where it is.
    """

    function = True
    run_time = ("batched",)
    keras = ("transpose",)
    torch = ("transpose",)
    axes = Param("ints", "the axes in their new order; without it they are reversed", None, positional=True)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,), axes = types, whole_numbers(attributes["axes"])
        if sorted(axes) != list(range(type.rank)):
            raise ValueError(f"{axes} is no order of the axes of {type}")
        return type.with_shape(*(type.shape[axis] for axis in axes))

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], batched: bool) -> Array:
        return x.transpose(0, *(axis + 1 for axis in axes)) if batched else x.transpose(axes)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        if node.type.dtype != "f32":
            return (None,)
        axes = whole_numbers(node.attribute("axes"))
        back = tuple(axes.index(axis) for axis in range(len(axes)))
        return (build.add("transpose", [upstream], {"axes": back}, name=f"gradient.{node.inputs[0]}"),)


@layer("permute")
class Permute(AxesInOrder):
    """The axes in another order: axis i of the result is axis `axes[i]` of x, counted from 0 after the batch.

    ```kmodel
    h = x -> permute([1, 0]) -> dense(32) -> permute([1, 0])
    ```
    Source: keras/src/layers/reshaping/permute.py, which counts from 1: its `(2, 1)` is `[1, 0]` here.
    """

    keras = ("Permute",)
    torch = ("permute",)
    axes = Param("ints", "the axes in their new order", positional=True, keras="dims")


@op("reverse")
class Reverse(Movement):
    """`y` is x with the elements along `axes` in reverse order."""

    run_time = ("batched",)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        axes = whole_numbers(attributes["axes"])
        if list(axes) != sorted(set(axes)) or any(not 0 <= axis < types[0].rank for axis in axes):
            raise ValueError(f"no axes {axes} in {types[0]}")
        return types[0]

    @staticmethod
    def reference(x: Array, *, axes: tuple[int, ...], batched: bool) -> Array:
        return np.flip(x, tuple(axis + batched for axis in axes))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        if node.type.dtype != "f32":
            return (None,)
        return (build.add("reverse", [upstream], node.keywords, name=f"gradient.{node.inputs[0]}"),)


@layer("flip")
class Flip(Layer):
    """The elements along an axis, or several, in reverse order.

    ```kmodel
    backwards = flip(words, axis = 0)
    ```
    Source: numpy.flip.
    """

    function = True
    keras = ("flip",)
    torch = ("flip",)
    axis = Param("axes", "the axis that is turned round, or a list of them; without it all of them", None)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        check_axes("flip", arguments["axis"] or (), types[0])

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        rank, axes = build.type_of(values[0]).rank, arguments["axis"]
        places = range(rank) if axes is None else (positive_axis(axis, rank) for axis in axes)
        return build.add("reverse", [values[0]], {"axes": tuple(sorted(places))}, name=build.layer)


# -- parts, and what is around them --------------------------------------------------------------------


@op("slice")
class Slice(Movement):
    """`y` is the part of x from `starts` up to before `stops`, every `steps`-th, on each axis: what `x[0:4]` is."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,) = types
        starts, stops, steps = (whole_numbers(attributes[key]) for key in ("starts", "stops", "steps"))
        if not len(starts) == len(stops) == len(steps) == type.rank:
            raise ValueError(f"wants a start, a stop and a step for each axis of {type}")
        for start, stop, step, size in zip(starts, stops, steps, type.shape, strict=True):
            if not 0 <= start < stop <= size or step < 1:
                raise ValueError(f"{start}:{stop}:{step} is no part of an axis of {size}")
        return type.with_shape(*(len(range(*ends)) for ends in zip(starts, stops, steps, strict=True)))

    @staticmethod
    def reference(x: Array, *, starts: tuple[int, ...], stops: tuple[int, ...], steps: tuple[int, ...]) -> Array:
        part = (..., *map(slice, starts, stops, steps))
        return x[part]

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        if node.type.dtype != "f32":
            return (None,)
        (x,) = node.inputs
        attributes = {
            "shape": build.type_of(x).shape,
            "starts": node.attribute("starts"),
            "steps": node.attribute("steps"),
        }
        return (build.add("unslice", [upstream], attributes, name=f"gradient.{x}"),)


@op("unslice")
class Unslice(Movement):
    """Undoes a slice: zeros of `shape`, with `x` from `starts` on at every `steps`-th place of each axis."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,) = types
        shape, starts, steps = (whole_numbers(attributes[key]) for key in ("shape", "starts", "steps"))
        if not len(shape) == len(starts) == len(steps) == type.rank:
            raise ValueError(f"{type} cannot lie in {shape}")
        for whole, start, step, size in zip(shape, starts, steps, type.shape, strict=True):
            if start < 0 or step < 1 or start + step * (size - 1) >= whole:
                raise ValueError(f"{type} cannot lie in {shape}")
        return type.with_shape(*shape)

    @staticmethod
    def reference(x: Array, *, shape: tuple[int, ...], starts: tuple[int, ...], steps: tuple[int, ...]) -> Array:
        rows, sizes = x.shape[: x.ndim - len(shape)], x.shape[x.ndim - len(shape) :]
        stops = (start + step * size for start, step, size in zip(starts, steps, sizes, strict=True))
        result = np.zeros((*rows, *shape), x.dtype)
        part = (..., *map(slice, starts, stops, steps))
        result[part] = x
        return result

    @staticmethod
    def cost(types: Sequence[TensorType], result: TensorType, attributes: Mapping[str, Attribute]) -> Cost:
        return Cost(0, types[0].size + result.size)


@layer("pad")
@op("pad")
class Pad(Layer, Movement):
    """x with more places around it that all hold one number, 0 where none is given.

    `[1, 2]` adds one place before and two behind, `1` one on either side; `[[1, 1], [0, 2]]` has a pair for each axis.

    ```kmodel
    framed = pad(image, [[1, 1], [1, 1], [0, 0]])
    later = pad(x, [1, 0], axis = 0)
    ```
    Source: numpy.pad.
    """

    function = True
    run_time = ("batched",)
    keras = ("pad",)
    torch = ("pad",)
    width = Param("pairs", "places [before, after]: one pair, or one for each axis", positional=True, keras="pad_width")
    axis = Param("axes", "the axis that is padded, or a list of them; without it all of them", None)
    value = Param("number", "what the new places hold", 0.0, keras="constant_values")

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), axes, pairs = types, arguments["axis"], arguments["width"]
        check_axes("pad", axes or (), type)
        count = type.rank if axes is None else len(axes)
        if len(pairs) not in (1, count):
            raise Refused(
                "E412",
                f"`pad` gets {len(pairs)} pairs for {'the ' if axes is None else ''}{count} "
                f"{'axis' if count == 1 else 'axes'}{f' of {type.dims}' if axes is None else ''}",
                argument="width",
                help="give one pair for all, or one for each axis, the first after the batch first",
            )
        for pair in pairs:
            if min(pair) < 0:
                raise Refused(
                    "E307",
                    f"`pad` adds places: {min(pair)} is less than 0",
                    argument="width",
                    help="`x[1:-1]` takes places away",
                )
        value = arguments["value"]
        if type.dtype == "index" and value not in range(type.classes or 0):
            raise Refused(
                "E307",
                f"`pad` of classes adds one of them, 0 to {(type.classes or 0) - 1}, not {value:g}",
                argument="value",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        (x,), axes, pairs = values, arguments["axis"], arguments["width"]
        type = build.type_of(x)
        places = [*range(type.rank)] if axes is None else [positive_axis(axis, type.rank) for axis in axes]
        width = dict(zip(places, pairs * len(places) if len(pairs) == 1 else pairs, strict=True))
        before, after = (tuple(width.get(i, (0, 0))[side] for i in range(type.rank)) for side in (0, 1))
        attributes: dict[str, Attribute] = {"before": before, "after": after, "value": float(arguments["value"])}
        return build.add("pad", [x if type.dtype == "index" else as_float(build, x)], attributes, name=build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,) = types
        before, after = whole_numbers(attributes["before"]), whole_numbers(attributes["after"])
        if not len(before) == len(after) == type.rank or any(n < 0 for n in (*before, *after)):
            raise ValueError(f"cannot pad {type} with {before} and {after}")
        return type.with_shape(*(sum(sizes) for sizes in zip(before, type.shape, after, strict=True)))

    @staticmethod
    def reference(x: Array, *, before: tuple[int, ...], after: tuple[int, ...], value: float, batched: bool) -> Array:
        width = [(0, 0)] * batched + list(zip(before, after, strict=True))
        return np.pad(x, width, constant_values=value) if width else x

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        if node.type.dtype != "f32":
            return (None,)
        (x,) = node.inputs
        starts, shape = whole_numbers(node.attribute("before")), build.type_of(x).shape
        stops = tuple(start + size for start, size in zip(starts, shape, strict=True))
        attributes = {"starts": starts, "stops": stops, "steps": (1,) * len(shape)}
        return (build.add("slice", [upstream], attributes, name=f"gradient.{x}"),)
