"""Which ops are loop nests: the rules of general tensor ops, for values with rows, without, and sums over the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kdsl.graph.graph import Node
from kdsl.plan.einsum import lower_einsum
from kdsl.plan.gather import lower_gather, lower_gather_gradient, lower_one_hot
from kdsl.plan.lowering import Lowering
from kdsl.plan.movement import (
    lower_broadcast,
    lower_concat,
    lower_elementwise,
    lower_full,
    lower_pad,
    lower_random,
    lower_reverse,
    lower_slice,
    lower_transpose,
    lower_unslice,
)
from kdsl.plan.reductions import lower_reduction, lower_sum_to

__all__ = ["RULES", "lower_elementwise"]

RULES: Mapping[str, Callable[[Lowering, Node], None]] = {
    "reduce_sum": lower_reduction,
    "reduce_mean": lower_reduction,
    "reduce_max": lower_reduction,
    "reduce_min": lower_reduction,
    "argmax": lower_reduction,
    "argmin": lower_reduction,
    "sum_to": lower_sum_to,
    "broadcast_to": lower_broadcast,
    "transpose": lower_transpose,
    "reverse": lower_reverse,
    "slice": lower_slice,
    "unslice": lower_unslice,
    "pad": lower_pad,
    "concat": lower_concat,
    "gather": lower_gather,
    "gather_gradient": lower_gather_gradient,
    "one_hot": lower_one_hot,
    "einsum": lower_einsum,
    "full": lower_full,
    "random_normal": lower_random,
    "random_uniform": lower_random,
}
