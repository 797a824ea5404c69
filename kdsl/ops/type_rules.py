"""Type rules that several ops share. They raise ValueError for what only the compiler can get wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.graph.graph import Attribute
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.registry import Op, Refused


class SameType(Op):
    """An op whose inputs are floats of one type, which is the result's type too."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return same_float(types)


class Elementwise(SameType):
    elementwise = True


class GradientOp(Elementwise):
    """The elementwise gradient of an elementwise op."""

    differentiable = False
    backward = True


class Broadcast(Op):
    """An elementwise op of floats whose inputs broadcast."""

    elementwise = True

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        return broadcast(types)


class BroadcastGradient(Broadcast):
    """The elementwise gradient of an op whose inputs broadcast."""

    differentiable = False
    backward = True


class ToScalar(Op):
    """An op that reduces everything, the batch included, to one number."""

    @staticmethod
    def infer(types: Sequence[TensorType], attributes: Mapping[str, Attribute]) -> TensorType:
        need_float(types[0])
        return FLOAT_SCALAR


def need_float(*types: TensorType) -> None:
    for type in types:
        if type.dtype != "f32":
            raise ValueError(f"wants f32, not {type}")


def same_float(types: Sequence[TensorType]) -> TensorType:
    need_float(*types)
    for other in types[1:]:
        if other != types[0]:
            raise ValueError(f"wants inputs of one type, not {types[0]} and {other}")
    return types[0]


def need_classes(logits: TensorType, index: TensorType) -> None:
    """Logits [.., K] and index(K) [..]."""
    need_float(logits)
    if logits.rank == 0 or index.dtype != "index" or index.classes != logits.shape[-1]:
        raise ValueError(f"{logits} are no scores for {index}")
    if index.shape != logits.shape[:-1] or index.batched != logits.batched:
        raise ValueError(f"{index} is not {logits} without its last axis")


def without_classes(type: TensorType) -> TensorType:
    need_float(type)
    if type.rank == 0:
        raise ValueError("a single number has no classes")
    return type.with_shape(*type.shape[:-1])


def need_scalar(type: TensorType) -> None:
    if type != FLOAT_SCALAR:
        raise ValueError(f"wants one number for the whole batch, not {type}")


def broadcast(types: Sequence[TensorType]) -> TensorType:
    """The type of an elementwise result of floats, by NumPy's rule on the axes after the batch."""
    need_float(*types)
    return broadcast_any(types)


def broadcast_any(types: Sequence[TensorType]) -> TensorType:
    """As `broadcast`, of values of any dtype; the result is f32.

    Every batched input must have all of the result's axes: NumPy aligns shapes at their ends, and would take the batch
    for an axis of a shorter one.
    """
    rank = max(t.rank for t in types)
    shape = broadcast_shape([t.shape for t in types])
    if shape is None or any(t.batched and t.rank < rank for t in types):
        raise _differ(types)
    return TensorType("f32", shape, any(t.batched for t in types))


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """NumPy's rule: shapes are aligned at their ends, sizes are equal or 1. None where they are not."""
    rank = max(map(len, shapes))
    result = []
    for sizes in zip(*((1,) * (rank - len(s)) + s for s in shapes), strict=True):
        if any(s not in (1, max(sizes)) for s in sizes):
            return None
        result.append(max(sizes))
    return tuple(result)


def _differ(types: Sequence[TensorType]) -> Refused:
    return Refused(
        "E402",
        f"the two sides have different shapes: {' and '.join(t.dims for t in types)}",
        help="sizes must be equal, or 1, on every axis",
    )


def whole_numbers(value: Attribute) -> tuple[int, ...]:
    """An attribute that is a tuple of whole numbers, a shape or axes."""
    if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
        raise ValueError(f"wants whole numbers, not {value!r}")
    return tuple(v for v in value if isinstance(v, int))


def positive_axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis
