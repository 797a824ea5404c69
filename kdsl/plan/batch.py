"""Statistics of a batch, channel by channel: blocks give sums, and what they make together is divided at the end."""

from __future__ import annotations

from math import prod

from kdsl.graph.graph import Node
from kdsl.plan.layout import padded
from kdsl.plan.lowering import Lowering
from kdsl.plan.places import Number


def lower_batch_mean(lowering: Lowering, node: Node) -> None:
    """The sum over all places of the rows at hand; divided once it is whole."""
    x = lowering.read(node.inputs[0])
    share = lowering.result(node)
    arguments: dict[str, object] = {"rows": lowering.lines(x.layout), "columns": padded(x.layout.width)}
    arguments |= {"g": x.name, "g_row": x.layout.step, "out": share.name}
    lowering.launch("column_sums", node, (x,), share, **arguments)
    _divided(lowering, node)


def lower_batch_variance(lowering: Lowering, node: Node) -> None:
    """The same of squared differences from the mean, which is known before."""
    x, mean = (lowering.read(name) for name in node.inputs)
    share = lowering.result(node)
    arguments: dict[str, object] = {"rows": lowering.lines(x.layout), "columns": padded(x.layout.width)}
    arguments |= {"x": x.name, "x_row": x.layout.step, "mean": mean.name, "out": share.name}
    lowering.launch("column_square_sums", node, (x, mean), share, **arguments)
    _divided(lowering, node)


def lower_inverse_count(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Number(_share(lowering, node))


def _divided(lowering: Lowering, node: Node) -> None:
    with lowering.at_home(node):
        whole = lowering.read(node.name)
        sizes = {"count": whole.layout.row, "out": whole.name, "factor": _share(lowering, node)}
        lowering.launch("scale_numbers", node, (whole,), whole, **sizes)


def _share(lowering: Lowering, node: Node) -> str:
    places = prod(lowering.type(node.inputs[0]).shape[:-1])
    return "1.0 / rows" if places == 1 else f"1.0 / (rows * {places})"
