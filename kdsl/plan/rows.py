"""Lowers the part of a graph that works row by row: every batched node becomes launches over a block of rows.

Which rule lowers a node is decided here, by its op; elementwise ops, and what needs no launch, have their rules here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kdsl.graph.graph import Graph, Node
from kdsl.ops.registry import OPS
from kdsl.plan.contractions import lower_contraction
from kdsl.plan.expression import expression
from kdsl.plan.launch import Buffer, RowFunction
from kdsl.plan.layout import Layout
from kdsl.plan.losses import lower_cross_entropy, lower_log_likelihood, lower_measure
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.places import Data, Fixed, Number, Outside, Sum, Unsupported
from kdsl.plan.softmax import lower_softmax, lower_softmax_gradient

Rule = Callable[[Lowering, Node], None]
BATCH_SUMS = frozenset({"matmul_kernel_gradient", "bias_gradient"})


def lower_rows(graph: Graph, outside: Outside, wanted: Mapping[str, Layout | None]) -> RowFunction:
    """The launches of `graph`. `wanted` are values that must end in a buffer, in this layout if one is given."""
    lowering = Lowering(graph, outside)
    for node in graph:
        _lower(lowering, node)
    return lowering.finish(wanted)


def _lower(lowering: Lowering, node: Node) -> None:
    if node.op in SOURCES:
        SOURCES[node.op](lowering, node)
    elif node.op in BATCH_SUMS or (not node.type.batched and node.op == "sum_to"):
        return  # the update's affair
    elif not node.type.batched and any(lowering.graph[name].type.batched for name in node.inputs):
        _rule(OVER_THE_BATCH, node, " over the batch")(lowering, node)
    elif not node.type.batched:
        _lower_unbatched(lowering, node)
    elif node.op == "fused" and node.attribute("kind") == "contraction":
        lower_contraction(lowering, node)
    elif node.op in ("fused", "dropout") or OPS[node.op].elementwise:
        _lower_map(lowering, node)
    else:
        _rule(BY_ROW, node)(lowering, node)


def _rule(rules: Mapping[str, Rule], node: Node, where: str = "") -> Rule:
    if node.op not in rules:
        raise Unsupported(f"the numba target has no kernel for `{node.op}`{where}")
    return rules[node.op]


# -- values from outside ---------------------------------------------------------------------------------------------


def _lower_data(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Data(str(node.attribute("name")), node.type.dtype)


def _lower_weight(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Fixed(lowering.outside.weight(node.name))


def _lower_constant(lowering: Lowering, node: Node) -> None:
    value = node.attribute("value")
    vector = isinstance(value, tuple)
    lowering.places[node.name] = Fixed(lowering.outside.constant(value)) if vector else Number(repr(value))  # type: ignore[arg-type]


# -- elementwise -----------------------------------------------------------------------------------------------------


def _lower_map(lowering: Lowering, node: Node) -> None:
    body = node.body or (node,)
    layout = lowering.layouts[node.name]
    outside = outside_values(body)
    number = _number(lowering, node)
    if number is not None:
        lowering.places[node.name] = number
        return
    operands = [(value, lowering.operand(value, layout, node)) for value in outside]
    made = lowering.buffer(node.name, layout)
    lowering.map(body, operands, node, made)
    lowering.places[node.name] = made


def _number(lowering: Lowering, node: Node) -> Number | None:
    """What a node makes of numbers, where that is simple enough to be written where it is read."""
    texts = [f"({place.text})" for place in map(lowering.places.get, node.inputs) if isinstance(place, Number)]
    if node.op in ("fused", "dropout") or len(texts) < len(node.inputs):
        return None
    try:
        text = expression(node, texts)
    except ValueError:
        return None
    simple = not any(c.isalpha() for c in text.replace("rows", ""))
    return Number(text) if simple else None


def _lower_unbatched(lowering: Lowering, node: Node) -> None:
    """A number made of numbers. What else there is reads gradients of weights: the update's affair."""
    numbers = [place for place in map(lowering.places.get, node.inputs) if isinstance(place, (Number, Sum))]
    if not numbers or len(numbers) < len(node.inputs):
        return
    text = expression(node, [f"({place.text})" for place in numbers])
    known = all(isinstance(place, Number) for place in numbers)
    lowering.places[node.name] = Number(text) if known else Sum(text)


# -- what needs no launch, or only another layout ----------------------------------------------------------------------


def _lower_mean_gradient(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Number(lowering.share_of_mean(node.inputs[0], node.type.size))


def _lower_reshape(lowering: Lowering, node: Node) -> None:
    place, layout = lowering.places[node.inputs[0]], lowering.layouts[node.name]
    assert isinstance(place, (Data, Number, Buffer))
    if isinstance(place, Buffer) and place.layout != layout and place.layout.width != 1:
        place = lowering.relayout(node, place, layout)
    lowering.places[node.name] = place


SOURCES: Mapping[str, Rule] = {
    "input": _lower_data,
    "target": _lower_data,
    "weight": _lower_weight,
    "constant": _lower_constant,
}
OVER_THE_BATCH: Mapping[str, Rule] = {
    "softmax_cross_entropy": lower_cross_entropy,
    "sparse_softmax_cross_entropy": lower_cross_entropy,
    "mean": lower_measure,
    "sparse_accuracy": lower_measure,
    "categorical_accuracy": lower_measure,
    "binary_accuracy": lower_measure,
    "sparse_top_k": lower_measure,
    "categorical_top_k": lower_measure,
}
BY_ROW: Mapping[str, Rule] = {
    "mean_gradient": _lower_mean_gradient,
    "reshape": _lower_reshape,
    "matmul": lower_contraction,
    "matmul_data_gradient": lower_contraction,
    "softmax": lower_softmax,
    "softmax_gradient": lower_softmax_gradient,
    "log_softmax": lower_softmax,
    "log_softmax_gradient": lower_softmax_gradient,
    "softmax_cross_entropy_gradient": lower_cross_entropy,
    "sparse_softmax_cross_entropy_gradient": lower_cross_entropy,
    "negative_log_likelihood": lower_log_likelihood,
    "negative_log_likelihood_gradient": lower_log_likelihood,
    "negative_log_likelihood_target_gradient": lower_log_likelihood,
    "sparse_negative_log_likelihood": lower_log_likelihood,
    "sparse_negative_log_likelihood_gradient": lower_log_likelihood,
}
