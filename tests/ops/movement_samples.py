"""What the ops that move numbers are tested with."""

from __future__ import annotations

from typing import Any

from small_graphs import f32, index, u8, weight

from kdsl.graph.types import FLOAT_SCALAR, TensorType


def part(*items: slice) -> dict[str, Any]:
    return {
        "starts": tuple(item.start for item in items),
        "stops": tuple(item.stop for item in items),
        "steps": tuple(item.step or 1 for item in items),
    }


def inside(shape: tuple[int, ...], starts: tuple[int, ...], steps: tuple[int, ...]) -> dict[str, Any]:
    return {"shape": shape, "starts": starts, "steps": steps}


def frame(before: tuple[int, ...], after: tuple[int, ...], value: float = 0.0) -> dict[str, Any]:
    return {"before": before, "after": after, "value": value}


def picked(axis: int, values: bool, indices: bool) -> dict[str, Any]:
    return {"axis": axis, "batched_values": values, "batched_indices": indices}


def places(*shape: int, batched: bool = True) -> TensorType:
    return TensorType("i32", shape, batched)


MOVEMENT_SAMPLES: dict[str, list[tuple[list[TensorType], dict[str, Any]]]] = {
    "transpose": [
        ([f32(2, 3)], {"axes": (1, 0)}),
        ([f32(2, 3, 4)], {"axes": (2, 0, 1)}),
        ([f32(3)], {"axes": (0,)}),
        ([f32()], {"axes": ()}),
        ([weight(2, 3)], {"axes": (1, 0)}),
        ([weight(2, 3, 2)], {"axes": (1, 2, 0)}),
        ([u8(2, 3)], {"axes": (1, 0)}),
    ],
    "reverse": [
        ([f32(4)], {"axes": (0,)}),
        ([f32(3, 4)], {"axes": (0,)}),
        ([f32(3, 4)], {"axes": (1,)}),
        ([f32(2, 3)], {"axes": (0, 1)}),
        ([f32(2)], {"axes": ()}),
        ([weight(2, 3)], {"axes": (0,)}),
        ([index(5, 3)], {"axes": (0,)}),
    ],
    "slice": [
        ([f32(5)], part(slice(1, 4))),
        ([f32(6)], part(slice(1, 6, 2))),
        ([f32(3, 4)], part(slice(2, 3), slice(0, 4))),
        ([f32(4, 3)], part(slice(0, 4, 3), slice(1, 3))),
        ([f32(2, 3, 2)], part(slice(0, 2), slice(1, 2), slice(1, 2))),
        ([f32()], part()),
        ([weight(4, 3)], part(slice(1, 3), slice(0, 3))),
        ([u8(4)], part(slice(0, 2))),
        ([index(7, 4)], part(slice(1, 4))),
    ],
    "unslice": [
        ([f32(3)], inside((5,), (1,), (1,))),
        ([f32(3)], inside((6,), (1,), (2,))),
        ([f32(2, 2)], inside((4, 3), (0, 1), (3, 1))),
        ([f32()], inside((), (), ())),
        ([weight(2, 3)], inside((4, 3), (1, 0), (1, 1))),
    ],
    "pad": [
        ([f32(3)], frame((1,), (2,))),
        ([f32(2, 3)], frame((0, 2), (1, 0), 0.5)),
        ([f32(2, 2, 2)], frame((1, 1, 0), (1, 0, 0))),
        ([f32(2)], frame((0,), (0,))),
        ([f32()], frame((), ())),
        ([weight(2, 3)], frame((1, 0), (0, 0), -1.0)),
        ([FLOAT_SCALAR], frame((), ())),
        ([index(4, 2)], frame((0,), (2,), 3.0)),
    ],
    "concat": [
        ([f32(3), f32(2)], {"axis": -1}),
        ([f32(2, 3), f32(2, 1), f32(2, 2)], {"axis": -1}),
        ([f32(1, 3), f32(2, 3)], {"axis": -2}),
        ([f32(3)], {"axis": -1}),
        ([weight(1, 3), f32(2, 3)], {"axis": -2}),
        ([f32(2), weight(3)], {"axis": -1}),
        ([weight(2, 3), weight(2, 1)], {"axis": -1}),
        ([index(5, 2), index(5, 1)], {"axis": -1}),
        ([u8(2), u8(3)], {"axis": -1}),
    ],
    "gather": [
        ([weight(4, 3), index(4)], picked(0, False, True)),
        ([weight(4, 3), index(4, 5)], picked(0, False, True)),
        ([weight(4, 3), places(2, 2)], picked(1, False, True)),
        ([f32(4, 3), index(4, 2)], picked(0, True, True)),
        ([f32(4, 3), index(3)], picked(1, True, True)),
        ([f32(2, 3, 4), places(2, 2)], picked(1, True, True)),
        ([f32(4), u8()], picked(0, True, True)),
        ([f32(4, 3), places(2, batched=False)], picked(0, True, False)),
        ([weight(4, 3), places(batched=False)], picked(1, False, False)),
        ([u8(3), index(3)], picked(0, True, True)),
    ],
    "gather_gradient": [
        ([f32(3), index(4)], {**picked(0, False, True), "size": 4}),
        ([f32(5, 3), index(4, 5)], {**picked(0, False, True), "size": 4}),
        ([f32(4, 2, 2), places(2, 2)], {**picked(1, False, True), "size": 3}),
        ([f32(2, 3), index(4, 2)], {**picked(0, True, True), "size": 4}),
        ([f32(2, 2, 2, 4), places(2, 2)], {**picked(1, True, True), "size": 3}),
        ([f32(2, 3), places(2, batched=False)], {**picked(0, True, False), "size": 4}),
        ([weight(4), places(batched=False)], {**picked(1, False, False), "size": 3}),
    ],
    "one_hot": [
        ([index(3)], {"classes": 3}),
        ([index(3, 2)], {"classes": 5}),
        ([places(2)], {"classes": 8}),
        ([places(batched=False)], {"classes": 4}),
    ],
}
