"""Convolutions: their windows slide over lines of pictures, so that all three products are products of the register tile.

Forward, neighbouring places of a line are rows of the tile and the taps are what is summed up. Back to the data, it is the
same over the upstream gradient with the weights reversed: once for each phase of the strides, with the taps that meet it.
Back to the weights, the taps are rows of the tile and the places are what is summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as every
from math import prod

from kdsl.graph.graph import Node
from kdsl.plan import winograd
from kdsl.plan.epilogues import epilogue, finish_in_place
from kdsl.plan.filters import Phase, panels_of_filters, phases, reversed_taps
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, last_axis, padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.pictures import Axis, Picture, axes_of, in_one_line, picture


def lower_conv(lowering: Lowering, node: Node) -> None:
    """`conv`, and what is fused to it."""
    product, *rest = node.body or (node,)
    value, kernel = product.inputs
    *taps, _, filters = lowering.type(kernel).shape
    *spatial, channels = lowering.type(value).shape
    groups = _groups(product)
    axes = _, y, x = axes_of(product, spatial, taps)
    why = winograd.unsuitable(axes, channels, filters, groups)
    if not why:
        winograd.lower_forward(lowering, node, axes, channels, filters)
        return
    source = picture(lowering, value, x.before, x.behind)
    axes = _, y, x = in_one_line(axes, source)
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    w = panels_of_filters(lowering, kernel, groups)
    lowering.launch(
        "slide",
        node,
        (source.buffer, w, *end.reads),
        made,
        rows=lowering.rows,
        **_windows_over(source, axes, channels),
        units=padded(filters),
        w=w.name,
        w_panel=prod(a.taps for a in axes) * channels * PANEL,
        bias=end.bias,
        **_written(made, (y.places, x.places), 1, 1, 1, 0),
        floor=end.floor,
        gate=end.gate.name if end.gate else "ONES",
        gated=int(end.gate is not None),
        scale=repr(end.factor),
        why_=_slides(why),
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
    channels = node.type.shape[-1]
    why = winograd.unsuitable(axes, channels, filters, groups)
    if not why:
        winograd.lower_back(lowering, node, axes, channels, filters)
        return
    step = 1 if x.stride > 1 else x.spread
    ways = phases(x)
    before = max(0, *(-p.start for p in ways))
    ends = [p.start + p.count - 1 + max(0, p.taps - 1) * step for p in ways]
    source = picture(lowering, value, before, max(0, max(ends) - (x.places - 1)))
    axes = z, y, x = in_one_line(axes, source)
    along = [phases(axis) for axis in axes]
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    for phase in every(*along):
        in_z, in_y, in_x = phase
        w = reversed_taps(lowering, kernel, groups, axes, phase)
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
            why_=_slides(why),
        )
    finish_in_place(lowering, node, end, made)


def lower_conv_kernel_gradient(lowering: Lowering, node: Node) -> None:
    """`conv_kernel_gradient`: the sum over the rows at hand."""
    value, upstream = node.inputs
    window, groups = node.attribute("window"), _groups(node)
    assert isinstance(window, tuple)
    taps = [size for size in window if isinstance(size, int)]
    *spatial, channels = lowering.type(value).shape
    axes = _, y, x = axes_of(node, spatial, taps)
    why = winograd.unsuitable(axes, channels, node.type.shape[-1], groups)
    if not why:
        winograd.lower_kernel_gradient(lowering, node, axes, channels, node.type.shape[-1])
        return
    source = picture(lowering, value, x.before, x.behind)
    axes = _, y, x = in_one_line(axes, source)
    g = lowering.read(upstream)
    made = lowering.result(node)
    filters, step = made.layout.width, g.layout.step
    whole = made
    if groups > 1:
        layout = Layout(prod(taps) * channels, filters, packed=True)
        whole = lowering.new_buffer(lowering.names(f"{node.name}.of_all_channels"), layout, "partial")
    lowering.launch(
        "slide_gradient",
        node,
        (source.buffer, g),
        whole,
        rows=lowering.rows,
        **_windows_over(source, axes, channels),
        units=padded(filters),
        g=g.name,
        g_row=g.layout.row,
        g_slice=y.places * x.places * step,
        g_line=x.places * step,
        g_place=step,
        out=whole.name,
        out_line=padded(filters),
        zeros="ZEROS",
        ones="ONES",
        why_=_slides(why),
    )
    if groups > 1:
        sizes = {"taps": prod(taps), "channels": channels, "filters": filters, "groups": groups}
        lowering.launch("gather_groups", node, (whole,), made, **sizes, x=whole.name, out=made.name)


# -- arguments ---------------------------------------------------------------------------------------------------------


def _slides(why: str) -> str:
    return f"windows slide, Winograd's filtering does not suit: {why}"


def _groups(node: Node) -> int:
    groups = node.attribute("groups")
    assert isinstance(groups, int)
    return groups


def _windows_over(source: Picture, axes: Sequence[Axis], channels: int) -> dict[str, object]:
    """Where the windows of a convolution lie in its input, and their taps; those along x are one run where they touch."""
    z, y, x = axes
    close = x.spread == 1
    return {
        "size_z": z.size,
        "size_y": y.size,
        "taps_z": z.taps,
        "taps_y": y.taps,
        "spread_z": z.spread,
        "spread_y": y.spread,
        "taps_x": 1 if close else x.taps,
        "run": (x.taps if close else 1) * channels,
        "first_z": -z.before,
        "first_y": -y.before,
        "stride_z": z.stride,
        "stride_y": y.stride,
        "places_z": z.places,
        "places_y": y.places,
        "places_x": x.places,
        **_read(source, "x"),
        "x_place": x.stride * channels,
        "x_tap": x.spread * channels,
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
