"""Random changes of images: one kernel each, which draws for every row of the batch."""

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
