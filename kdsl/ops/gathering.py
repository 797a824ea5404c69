"""Picking by numbers that are data: gather, its gradient, and one_hot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute, Node
from kdsl.graph.types import TensorType
from kdsl.ops.axis_checks import check_axis
from kdsl.ops.lazy import Array, np
from kdsl.ops.movement import Movement
from kdsl.ops.registry import Layer, Op, Param, Refused, layer, op
from kdsl.ops.type_rules import need_float, positive_axis
from kdsl.records import replace

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder


MOST_PLACES = 2**24  # whole numbers up to here are exact in single precision, in which the compiled code holds them


def check_count(function: str, count: int) -> None:
    """Whether every place can be told from its neighbours."""
    if count > MOST_PLACES:
        raise Refused(
            "E307",
            f"`{function}` tells at most {MOST_PLACES:_} places apart, not {count:_}",
            label=f"{count:_} places",
            help="single precision holds no larger whole numbers exactly; put several classes into one, by a hash",
        )


def need_places(function: str, type: TensorType, place: int) -> None:
    """Classes or whole numbers, which can say where something stands."""
    if type.dtype in ("f32", "bool"):
        raise Refused(
            "E417",
            f"`{function}` picks by classes or whole numbers, but {{{place}}} is {type}",
            label="wants index(n) or i32",
            help="declare the input `index(n)`, or take `argmax` of scores",
        )


def _flags(attributes: Mapping[str, Attribute]) -> tuple[int, bool, bool]:
    """(axis, whether the values have a batch, whether the indices have one)."""
    axis = attributes["axis"]
    if not isinstance(axis, int) or isinstance(axis, bool):
        raise ValueError(f"wants an axis, not {axis!r}")
    return axis, attributes["batched_values"] is True, attributes["batched_indices"] is True


@layer("gather")
@op("gather")
class Gather(Layer, Movement):
    """Picks places of an axis of x by whole numbers: that axis is replaced by the axes of the numbers.

    x [V, D] and words index(V)[T] -> [T, D] along axis 0. A number below 0 counts as 0, one beyond the end as the last.

    ```kmodel
    chosen = gather(candidates, best, axis = 0)
    ```
    Source: numpy.take with mode "clip". Where both have a batch, every row picks from its own.
    """

    arity = (2, 2)
    function = True
    keras = ("take", "gather")
    torch = ("index_select",)
    axis = Param("axis", "the axis of the first input from which is picked", 0)

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (values, indices), axis = types, arguments["axis"]
        need_places("gather", indices, 1)
        check_axis("gather", axis, values)
        size = values.shape[axis]
        check_count("gather", size)
        if indices.dtype == "index" and indices.classes is not None and indices.classes > size:
            raise Refused(
                "E414",
                f"{{1}} names one of {indices.classes} places, but axis {axis} of {values.dims} has {size}",
                label=f"{size} places",
                help="a class n is the place n, from 0",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        return gathered(build, values[0], values[1], arguments["axis"], build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (x, indices), (axis, batched_values, batched_indices) = types, _flags(attributes)
        if not 0 <= axis < x.rank or indices.dtype in ("f32", "bool"):
            raise ValueError(f"cannot pick {indices} from axis {axis} of {x}")
        if (x.batched, indices.batched) != (batched_values, batched_indices):
            raise ValueError("is wrong about which of them has a batch")
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
        return replace(x, shape=shape, batched=batched_values or batched_indices)

    @staticmethod
    def reference(x: Array, indices: Array, *, axis: int, batched_values: bool, batched_indices: bool) -> Array:
        places = np.clip(indices.astype(np.int64), 0, x.shape[axis + batched_values] - 1)
        if not batched_indices:
            return np.take(x, places, axis + batched_values)
        if batched_values:
            rows = np.arange(len(x)).reshape(-1, *(1,) * (places.ndim - 1))
            picked = np.moveaxis(x, axis + 1, 1)[rows, places]
        else:
            picked = np.moveaxis(x, axis, 0)[places]
        # [batch, *indices, *axes before, *axes behind]: the axes of the indices go between the two
        return np.moveaxis(picked, range(places.ndim, places.ndim + axis), range(1, axis + 1))

    @staticmethod
    def gradient(build: Builder, node: Node, upstream: str) -> tuple[str | None, ...]:
        x, indices = node.inputs
        type = build.type_of(x)
        if type.dtype != "f32":
            return None, None
        attributes = {**node.keywords, "size": type.shape[int(str(node.attribute("axis")))]}
        return build.add("gather_gradient", [upstream, indices], attributes, name=f"gradient.{x}"), None


def gathered(build: Builder, x: str, indices: str, axis: int, name: str = "") -> str:
    """The op on values that are there."""
    type = build.type_of(x)
    attributes = {
        "axis": positive_axis(axis, type.rank),
        "batched_values": type.batched,
        "batched_indices": build.type_of(indices).batched,
    }
    return build.add("gather", [x, indices], attributes, name=name)


@op("gather_gradient")
class GatherGradient(Movement):
    """Adds `upstream` up at the places it was picked from: zeros elsewhere. Summed over the batch for values without."""

    differentiable = False
    backward = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (upstream, indices), (axis, batched_values, batched_indices) = types, _flags(attributes)
        need_float(upstream)
        size, behind = attributes["size"], axis + indices.rank
        if not isinstance(size, int) or upstream.shape[axis:behind] != indices.shape:
            raise ValueError(f"{upstream} was not picked by {indices}")
        if upstream.batched != (batched_values or batched_indices) or indices.batched != batched_indices:
            raise ValueError("is wrong about which of them has a batch")
        shape = (*upstream.shape[:axis], size, *upstream.shape[behind:])
        return TensorType("f32", shape, batched_values)

    @staticmethod
    def reference(
        upstream: Array, indices: Array, *, axis: int, size: int, batched_values: bool, batched_indices: bool
    ) -> Array:
        places = np.clip(indices.astype(np.int64), 0, size - 1)
        batched = batched_values or batched_indices
        rank = places.ndim - batched_indices
        # the axes of the indices, then the others: [batch, *indices, *axes before, *axes behind]
        terms = np.moveaxis(upstream, range(batched + axis, batched + axis + rank), range(batched, batched + rank))
        rest = terms.shape[batched + rank :]
        if batched_values:
            result = np.zeros((len(upstream), size, *rest), upstream.dtype)
            rows = np.arange(len(upstream)).reshape(-1, *(1,) * rank)
            np.add.at(result, (rows, places), terms)
        else:
            result = np.zeros((size, *rest), upstream.dtype)
            np.add.at(result, places, terms)
        return np.moveaxis(result, batched_values, batched_values + axis)


@layer("one_hot")
@op("one_hot")
class OneHot(Layer, Op):
    """A new last axis with 1 at the place of the class and 0 elsewhere. A whole number outside of it gives zeros.

    ```kmodel
    input  colour: index(3)
    vector = one_hot(colour)
    ```
    Source: keras.ops.one_hot. An `index(n)` says how many classes there are; for `i32` say `classes`.
    """

    function = True
    differentiable = False
    run_time = ("dtype",)
    keras = ("one_hot", "CategoryEncoding")
    torch = ("one_hot",)
    classes = Param(
        "size", "size of the new axis; of an `index(n)` it is n", None, positional=True, keras="num_classes"
    )

    @staticmethod
    def guard(arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        (type,), classes = types, arguments["classes"]
        need_places("one_hot", type, 0)
        if type.dtype != "index" and classes is None:
            raise Refused(
                "E301",
                f"`one_hot` needs to know how many classes there are: {{0}} is {type}",
                help="`one_hot(10)`, or declare the input `index(10)`",
            )
        check_count("one_hot", classes or type.classes or 0)
        if type.classes is not None and classes is not None and classes < type.classes:
            raise Refused(
                "E414",
                f"{{0}} names one of {type.classes} classes, but `one_hot` makes {classes} places",
                argument="classes",
                help=f"leave it out: {type} says how many there are",
            )

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]) -> str:
        classes = arguments["classes"] or build.type_of(values[0]).classes
        return build.add("one_hot", [values[0]], {"classes": classes}, name=build.layer)

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        (type,), classes = types, attributes["classes"]
        if type.dtype in ("f32", "bool") or not isinstance(classes, int) or classes < 1:
            raise ValueError(f"{type} does not name one of {classes} classes")
        return TensorType("f32", (*type.shape, classes), type.batched)

    @staticmethod
    def reference(x: Array, *, classes: int, dtype: Array) -> Array:
        return (x[..., None] == np.arange(classes)).astype(dtype)
