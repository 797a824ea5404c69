"""Convolutions with fewer multiplications: which ones, and how their three products are launched.

Winograd's minimal filtering makes tiles of 4x4 places of 36 products of matrices, where sliding windows need 144. The sums
before and behind them cost something for each channel and filter, so there must be enough of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from kdsl.graph.graph import Node
from kdsl.plan.epilogues import epilogue, finish_in_place
from kdsl.plan.filters import Phase, panels_of_filters, phases, reversed_taps
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, last_axis, padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.pictures import Axis

TILE, PARTS = 4, 36
TOGETHER = 48, 24  # tiles at a time, where channels and filters are few, or many: what they need stays in a cache
MANY = 128  # channels and filters
FEWEST = 16  # channels, and filters
LARGEST = 1 << 18  # channels times filters: 36 numbers of each are kept
WASTE = 1.8  # places of all tiles for each one that is asked for


def unsuitable(axes: Sequence[Axis], channels: int, filters: int, groups: int) -> str:
    """Why a convolution does not suit; empty where it does."""
    z, y, x = axes
    if (z.size, z.taps, y.taps, x.taps) != (1, 1, 3, 3) or groups > 1:
        return "the window is not 3x3 over all channels"
    if any(axis.stride > 1 or axis.spread > 1 for axis in axes):
        return "the window has strides or gaps"
    if min(channels, filters) < FEWEST:
        return f"fewer than {FEWEST} channels or filters"
    if channels * filters > LARGEST:
        return "the weights take too much memory in parts"
    places = max(1, y.places * x.places)
    if _tiled(y.places) * _tiled(x.places) > WASTE * places:
        return f"tiles of {TILE}x{TILE} do not fit {y.places}x{x.places} places well"
    return ""


def lower_forward(lowering: Lowering, node: Node, axes: Sequence[Axis], channels: int, filters: int) -> None:
    """`conv`, and what is fused to it."""
    product, *rest = node.body or (node,)
    value, kernel = product.inputs
    _, y, x = axes
    w = _parts_of_weights(lowering, kernel, panels_of_filters(lowering, kernel, 1), channels, filters)
    _launch(lowering, node, product, rest, value, w, (y, x), channels)


def lower_back(lowering: Lowering, node: Node, axes: Sequence[Axis], channels: int, filters: int) -> None:
    """`conv_data_gradient`, and what is fused to it: a convolution of the upstream gradient with the weights reversed."""
    product, *rest = node.body or (node,)
    value, kernel = product.inputs
    phase: tuple[Phase, ...] = tuple(phases(axis)[0] for axis in axes)
    _, y, x = (Axis(a.places, a.taps, 1, 1, -p.start, p.count) for a, p in zip(axes, phase, strict=True))
    w = _parts_of_weights(lowering, kernel, reversed_taps(lowering, kernel, 1, axes, phase), filters, channels)
    _launch(lowering, node, product, rest, value, w, (y, x), filters)


def lower_kernel_gradient(lowering: Lowering, node: Node, axes: Sequence[Axis], channels: int, filters: int) -> None:
    """`conv_kernel_gradient`: the sum over the rows at hand."""
    value, upstream = node.inputs
    _, y, x = axes
    g, units = lowering.read(upstream), padded(filters)
    made = lowering.result(node)
    source, read = _read(lowering, value)
    step = g.layout.step
    lowering.launch(
        "winograd_gradient",
        node,
        (source, g),
        made,
        rows=lowering.rows,
        size_y=y.size,
        size_x=x.size,
        before_y=y.before,
        before_x=x.before,
        places_y=y.places,
        places_x=x.places,
        channels=channels,
        units=units,
        tiles=_together(channels, units),
        **read,
        g=g.name,
        g_row=g.layout.row,
        g_line=x.places * step,
        g_place=step,
        out=made.name,
        zeros="ZEROS",
        ones="ONES",
        work=lowering.room(_room(channels, units) + PARTS * (channels * units + PANEL)),
        why_=_filtered(axes, _together(channels, units)),
    )


def _launch(
    lowering: Lowering,
    node: Node,
    product: Node,
    rest: list[Node],
    value: str,
    w: Buffer,
    axes: tuple[Axis, Axis],
    channels: int,
) -> None:
    y, x = axes
    made = lowering.result(node, last_axis(node.type))
    end = epilogue(lowering, product, rest, made.layout)
    source, read = _read(lowering, value)
    units, step = padded(made.layout.width), made.layout.step
    lowering.launch(
        "winograd",
        node,
        (source, w, *end.reads),
        made,
        rows=lowering.rows,
        size_y=y.size,
        size_x=x.size,
        before_y=y.before,
        before_x=x.before,
        places_y=y.places,
        places_x=x.places,
        channels=channels,
        units=units,
        tiles=_together(channels, units),
        **read,
        w=w.name,
        bias=end.bias,
        out=made.name,
        out_row=made.layout.row,
        out_line=x.places * step,
        out_place=step,
        floor=end.floor,
        gate=end.gate.name if end.gate else "ONES",
        gated=int(end.gate is not None),
        scale=repr(end.factor),
        zeros="ZEROS",
        work=lowering.room(_room(channels, units)),
        why_=_filtered(axes, _together(channels, units)),
    )
    finish_in_place(lowering, node, end, made)


def _read(lowering: Lowering, value: str) -> tuple[Buffer, dict[str, object]]:
    """A picture wherever it lies, if the channels of a place lie side by side."""
    view = lowering.view(value)
    assert view.buffer is not None and view.strides[-1] == 1
    line, place, _ = view.strides
    return view.buffer, {"x": view.at, "x_row": view.row, "x_line": line, "x_place": place}


def _parts_of_weights(lowering: Lowering, value: str, panels: Buffer, lines: int, columns: int) -> Buffer:
    """The weights [3, 3, lines, columns], which lie in panels, as what the 36 sums are multiplied by."""
    name, layout = f"{panels.name}.parts", Layout(PARTS * lines * padded(columns) // PANEL, PANEL, packed=True)
    if (name, layout) not in lowering.copies:
        node = lowering.graph[value]
        with lowering.at_home(node):
            made = lowering.buffer(name, layout)
            sizes = {"panels": padded(columns) // PANEL, "lines": lines, "w": panels.name, "out": made.name}
            said = f"{value} as the 36 parts of Winograd's minimal filtering"
            lowering.launch("parts_of_weights", node, (panels,), made, **sizes, comment_=said)
    return lowering.copies[name, layout]


def _filtered(axes: Sequence[Axis], together: int) -> str:
    *_, y, x = axes
    tiles, places = _tiled(y.places) * _tiled(x.places) // TILE**2, y.places * x.places
    return (
        f"Winograd's filtering, {PARTS * tiles:,} products for each channel and filter instead of {9 * places:,}; "
        f"{together} tiles at a time stay in a cache"
    )


def _room(channels: int, units: int) -> int:
    """Numbers for the parts of inputs and results of the tiles at hand."""
    return PARTS * (_together(channels, units) * (padded(channels) + units) + 2 * PANEL)


def _together(channels: int, units: int) -> int:
    return TOGETHER[padded(channels) + units > MANY]


def _tiled(places: int) -> int:
    return ceil(places / TILE) * TILE
