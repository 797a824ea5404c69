"""Random changes of images: one kernel each, which draws for every row of the batch. And mixtures of rows."""

from __future__ import annotations

from kdsl.graph.graph import Node
from kdsl.plan.layout import Layout, padded
from kdsl.plan.lowering import Lowering


def lower_augmentation(lowering: Lowering, node: Node) -> None:
    """The result's places lie side by side in the lines of the image, as a convolution of few channels reads them."""
    height, width, *channels = node.type.shape
    line = width * (channels[0] if channels else 1)
    x = lowering.view(node.inputs[0])
    assert x.buffer is not None, "an image is not one number"
    out = lowering.result(node, Layout(height, line))
    stream = node.attribute("stream")
    sizes: dict[str, object] = {"rows": lowering.rows, "height": height, "width": width, "channels": line // width}
    settings = {key: value for key, value in node.attributes if key != "stream"}
    operand = {"x": x.at, "x_row": x.row, "x_line": x.strides[0], "x_place": x.strides[1]}
    result = {"out": out.name, "out_row": out.layout.row, "out_line": out.layout.step, "padding": padded(line) - line}
    drawn: dict[str, object] = {"start": "start", "key": f"key_{stream}", "streams_": (stream,)}
    lowering.launch(node.op, node, (x.buffer,), out, **sizes, **settings, **drawn, **operand, **result)


def lower_random_share(lowering: Lowering, node: Node) -> None:
    out, stream = lowering.result(node), node.attribute("stream")
    drawn: dict[str, object] = {"start": "start", "key": f"key_{stream}", "streams_": (stream,)}
    arguments = {"rows": lowering.rows, "alpha": node.attribute("alpha"), "out": out.name, "out_row": out.layout.row}
    lowering.launch("random_share", node, (), out, **arguments, **drawn)


def lower_mix_rows(lowering: Lowering, node: Node) -> None:
    """The rows lie in memory one behind the other, kept from the stage before: the next one may be another block's."""
    out, share = lowering.result(node), lowering.read(node.inputs[1])
    x = lowering.read(node.inputs[0], out.layout)
    arguments: dict[str, object] = {"rows": lowering.rows, "start": "start", "batch": "rows"}
    arguments |= {"size": out.layout.row, "x": x.name, "share": share.name, "share_row": share.layout.row}
    lowering.launch("mix_rows", node, (x, share), out, **arguments, out=out.name)
