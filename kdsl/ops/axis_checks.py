"""Whether axes that a user names are there, and fit together."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.graph.types import TensorType
from kdsl.ops.registry import Refused
from kdsl.ops.type_rules import positive_axis


def check_axes(function: str, axes: Sequence[int], type: TensorType, argument: str = "axis") -> None:
    """Every axis is there, and none is named twice."""
    for axis in axes:
        if type.rank == 0:
            raise Refused(
                "E411",
                f"`{function}` gets a single number, which has no axis {axis}",
                argument=argument,
                label="no such axis",
                help="the batch is not counted",
            )
        if not -type.rank <= axis < type.rank:
            raise Refused(
                "E411",
                f"there is no axis {axis} in {type.dims}",
                argument=argument,
                label="no such axis",
                help=f"{_axes_of(type.rank)}; the batch is not counted",
            )
    places = [positive_axis(axis, type.rank) for axis in axes]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise Refused("E411", f"axis {axes[number]} of {type.dims} is named twice", argument=argument)


def _axes_of(rank: int) -> str:
    return (
        "the only axis is 0, or -1" if rank == 1 else f"axes go from 0 to {rank - 1}, or from -1 (the last) to {-rank}"
    )


def check_axis(function: str, axis: int, type: TensorType) -> None:
    check_axes(function, (axis,), type)


def check_permutation(function: str, axes: Sequence[int], type: TensorType) -> None:
    """Every axis once, in whatever order."""
    rank = type.rank
    if all(-rank <= axis < rank for axis in axes) and sorted(positive_axis(a, rank) for a in axes) == [*range(rank)]:
        return
    shown = f"[{', '.join(map(str, axes))}]"
    help = "the batch is not counted: axes go from 0, the first after it"
    if sorted(axes) == [*range(1, rank + 1)]:
        help = f"axes count from 0: `{function}([{', '.join(str(axis - 1) for axis in axes)}])`"
    elif rank and sorted(axes) == [*range(rank + 1)] and axes[0] == 0:
        help = f"the batch is not written: `{function}([{', '.join(str(axis - 1) for axis in axes[1:])}])`"
    raise Refused(
        "E412",
        f"{shown} is no order of the axes of {type.dims}: `{function}` wants each of {_listed(rank)} once"
        if rank
        else f"`{function}` gets a single number, which has no axes to put in the order {shown}",
        argument="axes",
        label=f"{len(axes)} {'axis' if len(axes) == 1 else 'axes'}" if len(axes) != rank else "",
        help=help,
    )


def _listed(rank: int) -> str:
    return "0" if rank == 1 else f"{', '.join(map(str, range(rank - 1)))} and {rank - 1}"
