"""Several tensors become one along an axis, and one becomes several: concat, stack, split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.arithmetic import summed_like
from kdsl.ops.axis_checks import check_axis
from kdsl.ops.cast import as_float
from kdsl.ops.indexing import index
from kdsl.ops.lazy import Array, np
from kdsl.ops.movement import Movement
from kdsl.ops.operators import reshaped
from kdsl.ops.registry import Layer, Param, Refused, layer, op
from kdsl.ops.type_rules import positive_axis
from kdsl.ops.unsuitable import refuse_classes

MOST_PARTS = 10_000

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


def one_dtype(build: Builder, values: Sequence[str]) -> list[str]:
    """The values as they are where their dtypes are the same, else as floats."""
    kinds = {(type.dtype, type.classes) for type in map(build.type_of, values)}
    return list(values) if len(kinds) == 1 else [as_float(build, value) for value in values]


def check_dtypes(function: str, types: Sequence[TensorType]) -> None:
    """Classes can stand beside the same classes only."""
    if len({(type.dtype, type.classes) for type in types}) > 1:
        for type in types:
            refuse_classes(function, type)


@layer("concat")
@op("concat")
class Concat(Layer, Movement):
    """The inputs one behind the other along an axis, the last one where none is given. All other axes are equal.

    ```kmodel
    h = (numbers, words) -> concat
    both = concat([left, right], axis = 0)
    ```
    Source: keras/src/layers/merging/concatenate.py. `stack` makes a new axis.
    """

    arity = (1, None)
    function = True
    listed = True
    keras = ("Concatenate", "concatenate")
    torch = ("cat", "concat")
    axis = Param("axis", "the axis along which they are joined", -1)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        first, axis = types[0], arguments["axis"]
        check_dtypes("concat", types)
        check_axis("concat", axis, first)
        place = positive_axis(axis, first.rank)
        for number, other in enumerate(types[1:], 1):
            if other.rank != first.rank:
                single = min(first.rank, other.rank) == 0
                raise Refused(
                    "E415",
                    f"`concat` joins inputs with the same number of axes, not {first.dims} and {other.dims}",
                    label=f"input {number + 1} has the shape {other.dims}",
                    help="a single number joins a vector as a vector of one: `reshape(x, [1])`"
                    if single
                    else "`stack` makes a new axis; `expand_dims` adds one of size 1",
                )
            differ = [a for a, sizes in enumerate(zip(first.shape, other.shape, strict=True)) if len({*sizes}) > 1]
            if any(a != place for a in differ):
                raise Refused(
                    "E415",
                    f"`concat` cannot join {first.dims} and {other.dims} along axis {axis}",
                    label=f"input {number + 1} has the shape {other.dims}",
                    help=f"along axis {differ[0]} they could be joined: `axis = {differ[0]}`"
                    if len(differ) == 1
                    else "only the axis along which they are joined may differ in size",
                )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        axis, rank = arguments["axis"], build.type_of(values[0]).rank
        return build.add("concat", one_dtype(build, values), {"axis": axis if axis < 0 else axis - rank}, build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        axis, first = attributes["axis"], types[0]
        if not isinstance(axis, int) or not -first.rank <= axis < 0:
            raise ValueError(f"no axis {axis} in {first}")
        place = axis + first.rank
        for type in types:
            if (type.dtype, type.classes, type.rank) != (first.dtype, first.classes, first.rank):
                raise ValueError(f"cannot join {first} and {type}")
            if any(a != b for i, (a, b) in enumerate(zip(first.shape, type.shape, strict=True)) if i != place):
                raise ValueError(f"cannot join {first} and {type} along axis {axis}")
        shape = (*first.shape[:place], sum(t.shape[place] for t in types), *first.shape[place + 1 :])
        return TensorType(first.dtype, shape, any(t.batched for t in types), first.classes)

    @staticmethod
    def reference(*values: Array, axis: int) -> Array:
        most = max(values, key=np.ndim)  # what has no batch is the same in every row
        whole = [v if v.ndim == most.ndim else np.broadcast_to(v, (len(most), *v.shape)) for v in values]
        return np.concatenate(whole, axis)

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        if node.type.dtype != "f32":
            return (None,) * len(node.inputs)
        place, found, start = node.type.rank + int(str(node.attribute("axis"))), [], 0
        for value in node.inputs:
            stop = start + build.type_of(value).shape[place]
            items = [slice(None)] * place + [slice(start, stop)]
            found.append(summed_like(build, index(build, upstream, items, f"gradient.{value}.part"), value))
            start = stop
        return tuple(found)


@layer("stack")
class Stack(Layer):
    """The inputs, all of one shape, one behind the other along a new axis, the first one where none is given.

    ```kmodel
    pair = stack([left, right])
    ```
    Source: numpy.stack.
    """

    arity = (1, None)
    function = True
    listed = True
    keras = ("stack",)
    torch = ("stack",)
    axis = Param("axis", "place of the new axis in the result", 0)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        check_dtypes("stack", types)
        check_axis("stack", arguments["axis"], types[0].with_shape(len(types), *types[0].shape))
        for number, other in enumerate(types[1:], 2):
            if other.shape != types[0].shape:
                raise Refused(
                    "E415",
                    f"`stack` puts inputs of one shape together, not {types[0].dims} and {other.dims}",
                    label=f"input {number} has the shape {other.dims}",
                    help="`concat` joins them along an axis that they have",
                )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        shape = build.type_of(values[0]).shape
        place = positive_axis(arguments["axis"], len(shape) + 1)
        layers = [
            reshaped(build, value, (*shape[:place], 1, *shape[place:]), build.path("part"))
            for value in one_dtype(build, values)
        ]
        return build.add("concat", layers, {"axis": place - len(shape) - 1}, name=build.layer)


@layer("split")
class Split(Layer):
    """Cuts an axis, the last one where none is given, into equal parts, or into parts of the given sizes.

    ```kmodel
    mean, log_var = h -> split(2)
    head, tail = split(words, sizes = [1, 9], axis = 0)
    ```
    Source: numpy.split. It has several results, one for each part.
    """

    function = True
    keras = ("split",)
    torch = ("split", "chunk")
    parts = Param("size", "number of equal parts", None, positional=True)
    sizes = Param("ints", "size of each part, instead of their number", None)
    axis = Param("axis", "the axis that is cut", -1)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), axis, parts, sizes = types, arguments["axis"], arguments["parts"], arguments["sizes"]
        check_axis("split", axis, type)
        size = type.shape[axis]
        if (parts is None) == (sizes is None):
            both = "not both" if parts is not None else "one of the two"
            raise Refused(
                "E301" if parts is None else "E302",
                f"`split` takes the number of parts or their sizes, {both}",
                argument=None if parts is None else "sizes",
                help="`split(2)` makes two equal parts, `split(sizes = [1, 9])` one of 1 and one of 9",
            )
        if (parts if parts is not None else len(sizes)) > MOST_PARTS:
            raise Refused(
                "E415",
                f"`split` makes at most {MOST_PARTS:_} parts",
                argument="parts" if parts is not None else "sizes",
                help="`reshape` makes an axis of what is cut into equal parts",
            )
        if parts is not None and size % parts:
            raise Refused(
                "E415",
                f"`split` cannot cut axis {axis} of {type.dims} into {parts} equal parts",
                argument="parts",
                label=f"{size} is not divisible by {parts}",
                help="`sizes = [...]` makes parts of different sizes",
            )
        if sizes is not None and (min(sizes, default=0) < 1 or sum(sizes) != size):
            shown = f"[{', '.join(map(str, sizes))}]"
            wrong = f"make {sum(sizes)}, not {size}" if min(sizes, default=0) > 0 else "are not all at least 1"
            raise Refused(
                "E415",
                f"`split` cannot cut axis {axis} of {type.dims} into {shown}: the sizes {wrong}",
                argument="sizes",
                help="the sizes of the parts add up to the size of the axis",
            )

    @staticmethod
    def lower(
        build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> tuple[str, ...]:
        type, parts = build.type_of(values[0]), arguments["parts"]
        place = positive_axis(arguments["axis"], type.rank)
        sizes = arguments["sizes"] or (type.shape[place] // parts,) * parts
        found, start = [], 0
        for size in sizes:
            items = [slice(None)] * place + [slice(start, start + size)]
            found.append(index(build, values[0], items, build.layer))
            start += size
        return tuple(found)
