"""Pictures: the spatial axes of a window that slides, and values whose places lie side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdsl.graph.graph import Node
from kdsl.ops.convolution import geometry
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import Layout
from kdsl.plan.lowering import Lowering

AXES = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """One spatial axis of a convolution: its size, the window's taps, and the places of the result."""

    size: int
    taps: int
    stride: int
    spread: int
    before: int
    places: int

    @property
    def behind(self) -> int:
        """Places of zeros that the last window reaches beyond the end."""
        last = (self.places - 1) * self.stride + (self.taps - 1) * self.spread + 1
        return max(0, last - self.before - self.size)


def three(values: Sequence[int], missing: int = 1) -> tuple[int, ...]:
    """Sizes along z, y and x; axes that there are none of have size 1."""
    return (*[missing] * (AXES - len(values)), *values)


def axes_of(node: Node, spatial: Sequence[int], taps: Sequence[int]) -> tuple[Axis, ...]:
    """z, y and x of a convolution over a picture of these sizes with a window of so many taps."""
    found = geometry(node.keywords, taps)
    before = [pair[0] for pair in found.padding]
    parts = (
        three(spatial),
        three(taps),
        three(found.strides),
        three(found.dilation),
        three(before, 0),
        three(found.places(spatial)),
    )
    return tuple(Axis(*sizes) for sizes in zip(*parts, strict=True))


@dataclass(frozen=True, slots=True)
class Picture:
    """A value whose places lie side by side along x: `before` places of zeros, and as many behind as were asked for."""

    at: str
    row: int
    slice: int
    line: int
    place: int
    before: int
    buffer: Buffer


def picture(lowering: Lowering, value: str, before: int = 0, behind: int = 0) -> Picture:
    """The value [.., x, channels] with places of zeros at the ends of its lines; copied, if it does not lie so already."""
    type = lowering.type(value)
    *spatial, channels = type.shape
    z, y, x = three(spatial)
    view = lowering.view(value)
    assert view.buffer is not None
    strides = (0, 0, 0, *view.strides)[-4:]
    if not before and not behind and strides[2] == channels:
        return Picture(view.at, view.row, strides[0], strides[1], channels, 0, view.buffer)
    layout = Layout(z * y, (before + x + behind) * channels)
    key = (f"{value}.framed_{before}_{behind}", layout)
    if key not in lowering.copies:
        made = lowering.new_buffer(lowering.names(key[0]), layout, lowering.home)
        lowering.copies[key] = made
        together = strides[2] == channels
        lowering.launch(
            "frame",
            lowering.graph[value],
            (view.buffer,),
            made,
            rows=lowering.rows,
            lines=z * y,
            runs=1 if together else x,
            run=x * channels if together else channels,
            x=view.at,
            x_row=view.row,
            x_line=strides[1] if y > 1 or z == 1 else strides[0],
            x_run=0 if together else strides[2],
            before=before * channels,
            out=made.name,
            out_row=layout.row,
            out_line=layout.step,
            comment_=f"{value}, places side by side" + (", with zeros around" if before or behind else ""),
            why_="windows reach beyond the ends of lines" if before or behind else "windows read places side by side",
        )
    made = lowering.copies[key]
    return Picture(made.name, layout.row, y * layout.step, layout.step, channels, before, made)


def in_one_line(axes: Sequence[Axis], source: Picture) -> tuple[Axis, ...]:
    """A window of one place that meets them all: where lines lie behind one another, the picture is one long line."""
    z, y, x = axes
    sides = (y.size == 1 or source.line == x.size * source.place) and (
        z.size == 1 or source.slice == y.size * source.line
    )
    if not sides or any((axis.taps, axis.stride, axis.before, axis.places) != (1, 1, 0, axis.size) for axis in axes):
        return tuple(axes)
    size = z.size * y.size * x.size
    one = Axis(size=1, taps=1, stride=1, spread=1, before=0, places=1)
    return one, one, Axis(size=size, taps=1, stride=1, spread=1, before=0, places=size)
