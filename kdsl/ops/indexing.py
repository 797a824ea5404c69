"""`x[-1]`, `x[0:4]`, `x[:, 0:8:2]` as ops: a slice, then a reshape that drops the axes a number picked from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

from kdsl.ops.registry import Refused

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

Item = Union[int, slice]


def index(build: Builder, value: str, items: Sequence[Item], name: str = "") -> str:
    """What `items` pick, one for each axis after the batch from the first on; axes without an item stay whole.

    A number picks a place, negative from the end, and drops its axis; a slice keeps it.
    """
    shape = build.type_of(value).shape
    if len(items) > len(shape):
        raise Refused(
            "E414",
            f"{len(items)} items stand in `[ ]`, but {{0}} has {len(shape)} {'axis' if len(shape) == 1 else 'axes'}",
            help="the batch is not written: the first item is for the first axis after it",
        )
    parts = [_part(item, axis, size) for axis, (item, size) in enumerate(zip(items, shape, strict=False))]
    parts += [range(size) for size in shape[len(items) :]]
    dropped = {axis for axis, item in enumerate(items) if isinstance(item, int)}
    if [*map(range, shape)] != parts:
        attributes = {
            "starts": tuple(part.start for part in parts),
            "stops": tuple(part[-1] + 1 for part in parts),
            "steps": tuple(part.step for part in parts),
        }
        value = build.add("slice", [value], attributes, name="" if dropped else name)
    if dropped:
        left = tuple(len(part) for axis, part in enumerate(parts) if axis not in dropped)
        value = build.add("reshape", [value], {"shape": left}, name=name)
    return value


def _part(item: Item, axis: int, size: int) -> range:
    """The places of an axis that an item picks."""
    if isinstance(item, int):
        if not -size <= item < size:
            raise Refused(
                "E414",
                f"axis {axis} of {{0}} has {size} places, from 0 to {size - 1}, and none is called {item}",
                help=f"the last one is -1 or {size - 1}",
            )
        return range(item % size, item % size + 1)
    if item.step is not None and item.step < 1:
        raise Refused("E414", f"a step is at least 1, not {item.step}", help="`flip` turns an axis round")
    part = range(*item.indices(size))
    if not part:
        raise Refused(
            "E414",
            f"the part of axis {axis} of {{0}} is empty: it starts at {part.start} and stops before {part.stop}",
            help="the end is not part of it: `0:4` is 0, 1, 2, 3",
        )
    return part
