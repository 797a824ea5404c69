"""Pools and depthwise convolutions: windows over places, a register of channels at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from kdsl.graph.graph import Node
from kdsl.ops.pooling import pool_windows
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import Layout, last_axis, padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.pictures import Axis, axes_of, three


def lower_pool(lowering: Lowering, node: Node) -> None:
    """`max_pool` and `avg_pool`."""
    x = lowering.read(node.inputs[0])
    out = lowering.result(node, last_axis(node.type))
    kernel, arguments, why = _kernel(node, lowering.type(node.inputs[0]).shape[:-1])
    lowering.launch(kernel, node, (x,), out, **_all(lowering, out, arguments, x=x, out=out), why_=why)


def lower_pool_gradient(lowering: Lowering, node: Node) -> None:
    """`max_pool_gradient` and `avg_pool_gradient`."""
    operands = [lowering.read(name) for name in node.inputs]
    out = lowering.result(node, last_axis(node.type))
    kernel, arguments, why = _kernel(node, node.type.shape[:-1])
    named = dict(zip("gxy", operands, strict=False))
    lowering.launch(kernel, node, tuple(operands), out, **_all(lowering, out, arguments, **named, out=out), why_=why)


def _kernel(node: Node, spatial: Sequence[int]) -> tuple[str, dict[str, int], str]:
    """Its name, its windows, and why it is this one."""
    found = pool_windows(node.keywords)
    pairs = found.size == found.strides == (2, 2) and found.padding == ((0, 0), (0, 0))
    if not pairs or node.op not in ("max_pool", "max_pool_gradient"):
        return node.op, _window(node, spatial), ""
    high, wide = spatial
    name = node.op.replace("max_pool", "max_pool_2x2")
    return name, {"size_y": high, "size_x": wide}, "windows of 2x2 places lie side by side"


def _window(node: Node, spatial: Sequence[int]) -> dict[str, int]:
    found = pool_windows(node.keywords)
    parts = {
        "size": three(spatial),
        "taps": three(found.size),
        "stride": three(found.strides),
        "before": three([pair[0] for pair in found.padding], 0),
        "places": three(found.places(spatial)),
    }
    return {
        f"{part}_{letter}": size for part, sizes in parts.items() for letter, size in zip("zyx", sizes, strict=True)
    }


def _all(lowering: Lowering, made: Buffer, window: dict[str, int], **sides: Buffer) -> dict[str, object]:
    arguments: dict[str, object] = {"rows": lowering.rows, "width": padded(made.layout.width), **window}
    for name, side in sides.items():
        arguments |= {name: side.name, f"{name}_row": side.layout.row, f"{name}_step": side.layout.step}
    return arguments


# -- depthwise convolutions --------------------------------------------------------------------------------------------


def lower_depthwise(lowering: Lowering, node: Node) -> None:
    value, kernel = node.inputs
    *taps, channels, times = lowering.type(kernel).shape
    spatial = lowering.type(value).shape[:-1]
    x, w = _repeated(lowering, value, channels, times), _taps(lowering, kernel)
    out = lowering.result(node, last_axis(node.type))
    window = _sliding(axes_of(node, spatial, taps))
    arguments = _all(lowering, out, window, x=x, out=out) | {"w": w.name, "w_step": w.layout.step}
    lowering.launch("depthwise", node, (x, w), out, **arguments)


def lower_depthwise_data_gradient(lowering: Lowering, node: Node) -> None:
    upstream, kernel = node.inputs
    *taps, channels, times = lowering.type(kernel).shape
    g, w = lowering.read(upstream), _taps(lowering, kernel)
    out = lowering.result(node, last_axis(node.type))
    whole, lines = out, out.layout.lines
    if times > 1:
        whole = lowering.buffer(f"{node.name}.of_filters", Layout(lines, channels * times))
    window = _sliding(axes_of(node, node.type.shape[:-1], taps))
    arguments = _all(lowering, whole, window, g=g, out=whole) | {"w": w.name, "w_step": w.layout.step}
    lowering.launch("depthwise_back", node, (g, w), whole, **arguments)
    if times > 1:
        _per_channel(lowering, "sum_channels", node, whole, out, channels, times)


def lower_depthwise_kernel_gradient(lowering: Lowering, node: Node) -> None:
    value, upstream = node.inputs
    *taps, channels, times = node.type.shape
    x, g = _repeated(lowering, value, channels, times), lowering.read(upstream)
    made = lowering.result(node)
    layout = Layout(prod(taps), channels * times, packed=True)
    lines = lowering.new_buffer(lowering.names(f"{node.name}.taps"), layout, "partial")
    window = _sliding(axes_of(node, lowering.type(value).shape[:-1], taps))
    arguments = _all(lowering, lines, window, x=x, g=g) | {"out": lines.name, "out_step": layout.step}
    lowering.launch("depthwise_taps", node, (x, g), lines, **arguments)
    sizes = {"taps": prod(taps), "channels": channels, "times": times}
    lowering.launch("lines_of_taps", node, (lines,), made, **sizes, x=lines.name, out=made.name)


def _sliding(axes: Sequence[Axis]) -> dict[str, int]:
    names = ("size", "taps", "spread", "stride", "before", "places")
    return {f"{name}_{letter}": getattr(axis, name) for name in names for letter, axis in zip("zyx", axes, strict=True)}


def _taps(lowering: Lowering, kernel: str) -> Buffer:
    """The weights with one line for each tap."""
    *taps, channels, times = lowering.type(kernel).shape
    name, layout = f"{kernel}.taps", Layout(prod(taps), channels * times, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[kernel]
        with lowering.at_home(node):
            w, made = lowering.read(kernel), lowering.buffer(name, layout)
            sizes = {"taps": prod(taps), "channels": channels, "times": times}
            said = f"{kernel}, one line for each tap"
            lowering.launch("taps_of_lines", node, (w,), made, **sizes, w=w.name, out=made.name, comment_=said)
    return lowering.copies[name, layout]


def _repeated(lowering: Lowering, value: str, channels: int, times: int) -> Buffer:
    """The value with each channel as often as it has filters."""
    x = lowering.read(value)
    name, layout = f"{value}.times_{times}", Layout(x.layout.lines, channels * times)
    if times == 1:
        return x
    if (name, layout) not in lowering.copies:
        made = lowering.buffer(name, layout)
        _per_channel(lowering, "repeat_channels", lowering.graph[value], x, made, channels, times)
    return lowering.copies[name, layout]


def _per_channel(
    lowering: Lowering, kernel: str, node: Node, x: Buffer, out: Buffer, channels: int, times: int
) -> None:
    arguments: dict[str, object] = {"rows": lowering.rows, "lines": x.layout.lines}
    arguments |= {"channels": channels, "times": times}
    for name, side in (("x", x), ("out", out)):
        arguments |= {name: side.name, f"{name}_row": side.layout.row, f"{name}_step": side.layout.step}
    lowering.launch(kernel, node, (x,), out, **arguments)
