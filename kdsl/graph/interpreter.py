"""Runs a graph node by node with the ops' NumPy references: slow and plain, the oracle that everything is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl.graph.graph import FUSED, Graph, Node
from kdsl.graph.types import TensorType

Array = Any


def run(
    graph: Graph,
    inputs: Mapping[str, Array],
    targets: Mapping[str, Array] | None = None,
    weights: Mapping[str, Array] | None = None,
    seed: int = 0,
    step: int = 0,
    dtype: str = "float64",
) -> dict[str, Array]:
    """Every value of the graph by name. Inputs and targets are found by the user's names, weights by their paths.

    Arrays have the batch as axis 0. `dtype` is the scalar type; `seed` and `step` (from 0) choose the random masks.
    """
    given = {"input": inputs, "target": targets or {}, "weight": weights or {}}
    run_time = {"seed": seed, "step": step, "dtype": dtype}
    values: dict[str, Array] = {}
    for node in graph.nodes:
        if node.op == "constant":
            values[node.name] = _array(node.attribute("value"), node.type, dtype)
        elif node.op in given:
            key = node.name if node.op == "weight" else str(node.attribute("name"))
            values[node.name] = _array(given[node.op][key], node.type, dtype)
        elif node.op == FUSED:
            inside = {name: values[name] for name in node.inputs}
            for part in node.body:
                inside[part.name] = _compute(part, inside, run_time)
            values[node.name] = inside[node.name]
        else:
            values[node.name] = _compute(node, values, run_time)
    return values


def _compute(node: Node, values: Mapping[str, Array], run_time: Mapping[str, Any]) -> Array:
    from kdsl.ops.registry import OPS

    op = OPS[node.op]
    known = {**run_time, "batched": node.type.batched}
    extra = {name: known[name] for name in op.run_time}
    return op.reference(*(values[name] for name in node.inputs), **node.keywords, **extra)


def _array(value: Any, type: TensorType, dtype: str) -> Array:
    import numpy as np

    array = np.asarray(value, dtype) if type.dtype == "f32" else np.asarray(value)
    shape = array.shape[1:] if type.batched else array.shape
    if shape != type.shape:
        raise ValueError(f"wants {type}, not an array of shape {array.shape}")
    return array
