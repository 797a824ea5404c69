"""The weights of convolutions as the register tile reads them: in panels, and reversed for the way back to the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.pictures import Axis


def lines_of_filters(lowering: Lowering, value: str, groups: int) -> Buffer:
    """The weights [.., channels / groups, filters] in lines of the filters; all channels, where they come in groups."""
    if groups == 1:
        return lowering.read(value)
    *taps, inside, filters = lowering.type(value).shape
    name, layout = f"{value}.of_all_channels", Layout(prod(taps) * inside * groups, filters, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            w, made = lowering.read(value), lowering.buffer(name, layout)
            sizes = {"taps": prod(taps), "channels": inside * groups, "filters": filters, "groups": groups}
            lowering.launch("spread_groups", node, (w,), made, **sizes, w=w.name, out=made.name)
    return lowering.copies[name, layout]


def panels_of_filters(lowering: Lowering, value: str, groups: int) -> Buffer:
    """The weights [taps * channels, filters] in panels of 16 filters."""
    *taps, inside, filters = lowering.type(value).shape
    lines = prod(taps) * inside * groups
    name, layout = f"{value}.panels", Layout(lines * padded(filters) // PANEL, PANEL, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            w, made = lines_of_filters(lowering, value, groups), lowering.buffer(name, layout)
            sizes = {"inputs": lines, "units": filters, "first": 0, "lines": lines}
            said = f"{value} in panels, for its convolution"
            lowering.launch("panels_of_lines", node, (w,), made, **sizes, w=w.name, out=made.name, comment_=said)
    return lowering.copies[name, layout]


@dataclass(frozen=True, slots=True)
class Phase:
    """Along one axis: the places `first + n * stride` of the data, which `count` of them the taps `tap + n * stride` meet.
    In the gradient their windows begin at `start + n`."""

    first: int
    count: int
    tap: int
    taps: int
    start: int


def phases(axis: Axis) -> list[Phase]:
    """What a convolution along this axis is, seen from its input: one sum of taps for each remainder of the stride."""
    if axis.stride == 1:
        return [Phase(0, axis.size, 0, axis.taps, axis.before - (axis.taps - 1) * axis.spread)]
    found = []
    for rest in range(axis.stride):
        first = (rest - axis.before) % axis.stride
        count = -(-(axis.size - first) // axis.stride)
        taps = -(-(axis.taps - rest) // axis.stride)
        if count > 0:
            start = (first + axis.before) // axis.stride - (taps - 1)
            found.append(Phase(first, count, rest, max(taps, 0), start))
    return found


def reversed_taps(lowering: Lowering, value: str, groups: int, axes: Sequence[Axis], phase: Sequence[Phase]) -> Buffer:
    """The taps of one phase, reversed and transposed, in panels of 16 channels."""
    *_, inside, filters = lowering.type(value).shape
    channels, taps = inside * groups, [p.taps for p in phase]
    numbers = padded(channels) * prod(taps) * filters
    shown = ".".join(str(p.tap) for p in phase)
    name, layout = f"{value}.reversed.{shown}", Layout(-(-numbers // PANEL) + PANEL, PANEL, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            w, made = lines_of_filters(lowering, value, groups), lowering.buffer(name, layout)
            arguments: dict[str, object] = {"size_y": axes[1].taps, "size_x": axes[2].taps}
            arguments |= {"channels": channels, "filters": filters}
            for letter, axis, p in zip("zyx", axes, phase, strict=True):
                arguments |= {f"first_{letter}": p.tap, f"stride_{letter}": axis.stride, f"taps_{letter}": p.taps}
            said = f"{value} reversed, for the way back"
            lowering.launch("reversed_windows", node, (w,), made, **arguments, w=w.name, out=made.name, comment_=said)
    return lowering.copies[name, layout]
