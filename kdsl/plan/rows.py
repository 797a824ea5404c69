"""Lowers a graph: every node becomes launches, in the part of a step where its value is computed.

Which rule lowers a node is decided here, by its op; elementwise ops, and what needs no launch, have their rules here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kdsl.graph.graph import Graph, Node
from kdsl.ops.dropout import IMAGE_CHANGES
from kdsl.ops.registry import OPS
from kdsl.plan.augment import lower_augmentation, lower_mix_rows, lower_random_share
from kdsl.plan.batch import lower_batch_mean, lower_batch_variance, lower_inverse_count
from kdsl.plan.contractions import lower_bias_gradient, lower_contraction, lower_kernel_gradient
from kdsl.plan.expression import expression
from kdsl.plan.launch import Buffer, Stages
from kdsl.plan.layout import last_axis
from kdsl.plan.losses import lower_cross_entropy, lower_log_likelihood, lower_measure
from kdsl.plan.lowering import Lowering, outside_values
from kdsl.plan.nest import RULES as NESTS
from kdsl.plan.nest import lower_elementwise
from kdsl.plan.parts import bare
from kdsl.plan.places import Data, Number, Outside, Panels, Sum, Unsupported
from kdsl.plan.pools import (
    lower_depthwise,
    lower_depthwise_data_gradient,
    lower_depthwise_kernel_gradient,
    lower_pool,
    lower_pool_gradient,
)
from kdsl.plan.reductions import lower_reduction
from kdsl.plan.results import deliver, finish
from kdsl.plan.softmax import lower_softmax, lower_softmax_gradient
from kdsl.plan.windows import lower_conv, lower_conv_data_gradient, lower_conv_kernel_gradient

Rule = Callable[[Lowering, Node], None]
PLAIN = frozenset({"add", "subtract", "multiply", "divide", "negative", "square"})
"""Ops whose expression over numbers may stand anywhere in the text of a function."""


def lower_rows(graph: Graph, outside: Outside, outputs: Mapping[str, str], kept: Iterable[str] = ()) -> Stages:
    """The parts of `graph`. `outputs` are handed to the caller: name -> text of the array's address; the values `kept`
    stay in buffers for the whole batch."""
    lowering = Lowering(graph, outside)
    left_out = lowering.levels.in_update | lowering.turned
    for node in graph:
        if node.name not in left_out:
            with lowering.at(node):
                _lower(lowering, node)
    for name, value in graph.outputs:
        if name in outputs:
            deliver(lowering, name, value, outputs[name])
    return finish(lowering, [*kept, *_for_the_update(lowering)])


def _for_the_update(lowering: Lowering) -> list[str]:
    """What the gradients of the weights are made of: operands of the sums that the update does itself, and other values."""
    wanted: list[str] = []
    for terms in lowering.levels.terms.values():
        for value in terms:
            if value in lowering.levels.own:
                continue
            wanted += lowering.graph[value].inputs if value in lowering.levels.direct else [value]
    return list(dict.fromkeys(wanted))


def _lower(lowering: Lowering, node: Node) -> None:
    if node.op in SOURCES:
        SOURCES[node.op](lowering, node)
    elif node.op == "fused" and node.attribute("kind") == "contraction":
        RULES[node.body[0].op](lowering, node)
    elif node.op == "fused" and node.attribute("kind") == "reduction":
        lower_reduction(lowering, node)
    elif node.op in ("fused", "dropout") or OPS[node.op].elementwise:
        _lower_elementwise(lowering, node)
    elif node.op in RULES:
        RULES[node.op](lowering, node)
    else:
        raise Unsupported(f"the numba target has no kernel for `{node.op}`")


# -- values from outside ---------------------------------------------------------------------------------------------


def _lower_data(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Data(str(node.attribute("name")), node.type.dtype)


def _lower_weight(lowering: Lowering, node: Node) -> None:
    if lowering.outside.in_panels(node.name):
        lowering.places[node.name] = Panels(node.name)
    else:
        lowering.places[node.name] = Buffer(lowering.outside.weight(node.name), last_axis(node.type), "weight")


def _lower_constant(lowering: Lowering, node: Node) -> None:
    value = node.attribute("value")
    if isinstance(value, tuple):
        name = lowering.outside.constant(value)  # type: ignore[arg-type]
        lowering.places[node.name] = Buffer(name, last_axis(node.type), "constant")
    else:
        lowering.places[node.name] = Number(repr(value))


# -- elementwise -----------------------------------------------------------------------------------------------------


def _lower_elementwise(lowering: Lowering, node: Node) -> None:
    if _is_number(lowering, node):
        texts = [bare(str(lowering.number(name))) for name in node.inputs]
        lowering.computed(node, expression(node, texts))
        return
    body, layout = node.body or (node,), lowering.layouts[node.name]
    outside = outside_values(body)
    if not all(lowering.fits(value, layout, node) for value in outside):
        lower_elementwise(lowering, node)
        return
    operands = [(value, lowering.operand(value, layout, node)) for value in outside]
    lowering.map(body, operands, node, lowering.result(node))


def _is_number(lowering: Lowering, node: Node) -> bool:
    """Whether the node is one number for the whole batch, simple enough to be written where it is read."""
    if node.op not in PLAIN:
        return False
    if node.type.batched:
        return all(isinstance(lowering.places[name], (Number, Sum)) for name in node.inputs)
    return not node.type.shape and all(lowering.number(name) is not None for name in node.inputs)


# -- what needs no launch, or only another layout ----------------------------------------------------------------------


def _lower_mean_gradient(lowering: Lowering, node: Node) -> None:
    lowering.places[node.name] = Number(lowering.share_of_mean(node.inputs[0], node.inputs[1], node.type.size))


def _lower_reshape(lowering: Lowering, node: Node) -> None:
    """The same numbers in the same place: what needs them in other lines copies them."""
    lowering.places[node.name] = lowering.places[node.inputs[0]]


SOURCES: Mapping[str, Rule] = {
    "input": _lower_data,
    "target": _lower_data,
    "weight": _lower_weight,
    "constant": _lower_constant,
}
RULES: Mapping[str, Rule] = {
    "softmax_cross_entropy": lower_cross_entropy,
    "sparse_softmax_cross_entropy": lower_cross_entropy,
    "mean": lower_measure,
    "sparse_accuracy": lower_measure,
    "categorical_accuracy": lower_measure,
    "binary_accuracy": lower_measure,
    "sparse_top_k": lower_measure,
    "categorical_top_k": lower_measure,
    "mean_gradient": _lower_mean_gradient,
    "reshape": _lower_reshape,
    "matmul": lower_contraction,
    "matmul_data_gradient": lower_contraction,
    "matmul_kernel_gradient": lower_kernel_gradient,
    "bias_gradient": lower_bias_gradient,
    "conv": lower_conv,
    "conv_data_gradient": lower_conv_data_gradient,
    "conv_kernel_gradient": lower_conv_kernel_gradient,
    "depthwise_conv": lower_depthwise,
    "depthwise_conv_data_gradient": lower_depthwise_data_gradient,
    "depthwise_conv_kernel_gradient": lower_depthwise_kernel_gradient,
    "max_pool": lower_pool,
    "avg_pool": lower_pool,
    "max_pool_gradient": lower_pool_gradient,
    "avg_pool_gradient": lower_pool_gradient,
    "batch_mean": lower_batch_mean,
    "batch_variance": lower_batch_variance,
    "inverse_count": lower_inverse_count,
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
    **dict.fromkeys(IMAGE_CHANGES, lower_augmentation),
    "random_share": lower_random_share,
    "mix_rows": lower_mix_rows,
    **NESTS,
}
