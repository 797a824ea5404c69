"""Convolutions: their windows slide over lines of pictures, so that all three products are products of the register tile.

Forward, neighbouring places of a line are rows of the tile and the taps are what is summed up. Back to the data, it is the
same over the upstream gradient with the weights reversed: once for each phase of the strides, with the taps that meet it.
Back to the weights, the taps are rows of the tile and the places are what is summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as every
from math import prod

from kdsl.graph.graph import Node
from kdsl.ops.convolution import geometry
from kdsl.plan.epilogues import epilogue, finish_in_place
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, last_axis, padded
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


# -- pictures in lines without gaps ------------------------------------------------------------------------------------


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
        )
    made = lowering.copies[key]
    return Picture(made.name, layout.row, y * layout.step, layout.step, channels, before, made)


# -- weights -----------------------------------------------------------------------------------------------------------


def _lines(lowering: Lowering, value: str, groups: int) -> Buffer:
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


def _panels(lowering: Lowering, value: str, groups: int) -> Buffer:
    """The weights [taps * channels, filters] in panels of 16 filters."""
    *taps, inside, filters = lowering.type(value).shape
    lines = prod(taps) * inside * groups
    name, layout = f"{value}.panels", Layout(lines * padded(filters) // PANEL, PANEL, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            w, made = _lines(lowering, value, groups), lowering.buffer(name, layout)
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


def _reversed(lowering: Lowering, value: str, groups: int, axes: Sequence[Axis], phase: Sequence[Phase]) -> Buffer:
    """The taps of one phase, reversed and transposed, in panels of 16 channels."""
    *_, inside, filters = lowering.type(value).shape
    channels, taps = inside * groups, [p.taps for p in phase]
    numbers = padded(channels) * prod(taps) * filters
    shown = ".".join(str(p.tap) for p in phase)
    name, layout = f"{value}.reversed.{shown}", Layout(-(-numbers // PANEL) + PANEL, PANEL, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            w, made = _lines(lowering, value, groups), lowering.buffer(name, layout)
            arguments: dict[str, object] = {"size_y": axes[1].taps, "size_x": axes[2].taps}
            arguments |= {"channels": channels, "filters": filters}
            for letter, axis, p in zip("zyx", axes, phase, strict=True):
                arguments |= {f"first_{letter}": p.tap, f"stride_{letter}": axis.stride, f"taps_{letter}": p.taps}
            said = f"{value} reversed, for the way back"
            lowering.launch("reversed_windows", node, (w,), made, **arguments, w=w.name, out=made.name, comment_=said)
    return lowering.copies[name, layout]


# -- the three products ------------------------------------------------------------------------------------------------


def lower_conv(lowering: Lowering, node: Node) -> None:
    """`conv`, and what is fused to it."""
    product, *rest = node.body or (node,)
    value, kernel = product.inputs
    *taps, _, filters = lowering.type(kernel).shape
    *spatial, channels = lowering.type(value).shape
    groups = _groups(product)
    axes = z, y, x = axes_of(product, spatial, taps)
    behind = max(0, (x.places - 1) * x.stride + (x.taps - 1) * x.spread + 1 - x.before - x.size)
    source = picture(lowering, value, x.before, behind)
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    w = _panels(lowering, kernel, groups)
    close = x.spread == 1
    lowering.launch(
        "slide",
        node,
        (source.buffer, w, *end.reads),
        made,
        rows=lowering.rows,
        **_lines_of(z, y),
        taps_x=1 if close else x.taps,
        run=(x.taps if close else 1) * channels,
        first_z=-z.before,
        first_y=-y.before,
        stride_z=z.stride,
        stride_y=y.stride,
        places_z=z.places,
        places_y=y.places,
        places_x=x.places,
        units=padded(filters),
        **_read(source, "x"),
        x_place=x.stride * channels,
        x_tap=x.spread * channels,
        w=w.name,
        w_panel=prod(a.taps for a in axes) * channels * PANEL,
        bias=end.bias,
        **_written(made, (y.places, x.places), 1, 1, 1, 0),
        floor=end.floor,
        gate=end.gate.name if end.gate else "ONES",
        gated=int(end.gate is not None),
        scale=repr(end.factor),
    )
    finish_in_place(lowering, node, end, made)


def lower_conv_data_gradient(lowering: Lowering, node: Node) -> None:
    """`conv_data_gradient`, and what is fused to it: a launch for each phase of the strides."""
    product, *rest = node.body or (node,)
    value, kernel = product.inputs
    *taps, _, filters = lowering.type(kernel).shape
    shape, groups = product.attribute("shape"), _groups(product)
    assert isinstance(shape, tuple)
    spatial = [size for size in shape if isinstance(size, int)]
    axes = z, y, x = axes_of(product, spatial, taps)
    along = [phases(axis) for axis in axes]
    step = 1 if x.stride > 1 else x.spread
    before = max(0, *(-p.start for p in along[2]))
    ends = [p.start + p.count - 1 + max(0, p.taps - 1) * step for p in along[2]]
    source = picture(lowering, value, before, max(0, max(ends) - (x.places - 1)))
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    for phase in every(*along):
        in_z, in_y, in_x = phase
        w = _reversed(lowering, kernel, groups, axes, phase)
        close = step == 1
        lowering.launch(
            "slide",
            node,
            (source.buffer, w, *end.reads),
            made,
            rows=lowering.rows,
            size_z=z.places,
            size_y=y.places,
            taps_z=in_z.taps,
            taps_y=in_y.taps,
            taps_x=1 if close else in_x.taps,
            spread_z=1 if z.stride > 1 else z.spread,
            spread_y=1 if y.stride > 1 else y.spread,
            run=(in_x.taps if close else 1) * filters,
            first_z=in_z.start,
            first_y=in_y.start,
            stride_z=1,
            stride_y=1,
            places_z=in_z.count,
            places_y=in_y.count,
            places_x=in_x.count,
            units=padded(made.layout.width),
            **_read(source, "x", in_x.start * filters),
            x_place=filters,
            x_tap=step * filters,
            w=w.name,
            w_panel=prod(p.taps for p in phase) * filters * PANEL,
            bias=end.bias,
            **_written(made, (y.size, x.size), z.stride, y.stride, x.stride, _place(phase, (y.size, x.size))),
            floor=end.floor,
            gate=_shifted(end.gate.name, made, _place(phase, (y.size, x.size))) if end.gate else "ONES",
            gated=int(end.gate is not None),
            scale=repr(end.factor),
        )
    finish_in_place(lowering, node, end, made)


def lower_conv_kernel_gradient(lowering: Lowering, node: Node) -> None:
    """`conv_kernel_gradient`: the sum over the rows at hand."""
    value, upstream = node.inputs
    window, groups = node.attribute("window"), _groups(node)
    assert isinstance(window, tuple)
    taps = [size for size in window if isinstance(size, int)]
    *spatial, channels = lowering.type(value).shape
    z, y, x = axes_of(node, spatial, taps)
    behind = max(0, (x.places - 1) * x.stride + (x.taps - 1) * x.spread + 1 - x.before - x.size)
    source = picture(lowering, value, x.before, behind)
    g = lowering.read(upstream)
    made = lowering.result(node)
    filters, step = made.layout.width, g.layout.step
    whole = made
    if groups > 1:
        layout = Layout(prod(taps) * channels, filters, packed=True)
        whole = lowering.new_buffer(lowering.names(f"{node.name}.of_all_channels"), layout, "partial")
    close = x.spread == 1
    lowering.launch(
        "slide_gradient",
        node,
        (source.buffer, g),
        whole,
        rows=lowering.rows,
        **_lines_of(z, y),
        taps_x=1 if close else x.taps,
        run=(x.taps if close else 1) * channels,
        first_z=-z.before,
        first_y=-y.before,
        stride_z=z.stride,
        stride_y=y.stride,
        places_z=z.places,
        places_y=y.places,
        places_x=x.places,
        units=padded(filters),
        **_read(source, "x"),
        x_place=x.stride * channels,
        x_tap=x.spread * channels,
        g=g.name,
        g_row=g.layout.row,
        g_slice=y.places * x.places * step,
        g_line=x.places * step,
        g_place=step,
        out=whole.name,
        out_line=padded(filters),
        zeros="ZEROS",
        ones="ONES",
    )
    if groups > 1:
        sizes = {"taps": prod(taps), "channels": channels, "filters": filters, "groups": groups}
        lowering.launch("gather_groups", node, (whole,), made, **sizes, x=whole.name, out=made.name)


# -- arguments ---------------------------------------------------------------------------------------------------------


def _groups(node: Node) -> int:
    groups = node.attribute("groups")
    assert isinstance(groups, int)
    return groups


def _lines_of(z: Axis, y: Axis) -> dict[str, int]:
    return {
        "size_z": z.size,
        "size_y": y.size,
        "taps_z": z.taps,
        "taps_y": y.taps,
        "spread_z": z.spread,
        "spread_y": y.spread,
    }


def _read(source: Picture, name: str, start: int | None = None) -> dict[str, object]:
    """`start` numbers from the first real place of a line on; the first place of zeros, if not given."""
    at = 0 if start is None else source.before * source.place + start
    begin = source.at if at == 0 else f"{source.at} + {at}" if at > 0 else f"{source.at} - {-at}"
    return {name: begin, f"{name}_row": source.row, f"{name}_slice": source.slice, f"{name}_line": source.line}


def _written(
    made: Buffer, sizes: tuple[int, int], stride_z: int, stride_y: int, stride_x: int, first: int
) -> dict[str, object]:
    """Every stride-th place of a result whose lines are its places; `sizes` are those along y and x."""
    height, width = sizes
    step = made.layout.step
    return {
        "out": _shifted(made.name, made, first),
        "out_row": made.layout.row,
        "out_slice": stride_z * height * width * step,
        "out_line": stride_y * width * step,
        "out_place": stride_x * step,
    }


def _place(phase: Sequence[Phase], sizes: tuple[int, int]) -> int:
    """The number of the first place of a phase."""
    height, width = sizes
    z, y, x = phase
    return (z.first * height + y.first) * width + x.first


def _shifted(name: str, made: Buffer, places: int) -> str:
    return f"{name} + {places * made.layout.step}" if places else name
