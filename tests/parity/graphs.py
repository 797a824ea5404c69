"""Run a graph with the ops' NumPy references, and differentiate it with the ops' gradients: no passes, no templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kdsl.graph.builder import Builder
from kdsl.graph.graph import SOURCES
from kdsl.graph.types import TensorType
from kdsl.ops import LAYERS, OPS
from kdsl.source import Source

PLACE = Source("parity.kmodel", "x").span(0, 1)


def sample_type(array: np.ndarray, classes: int | None = None) -> TensorType:
    """The type of one row: floats, or the classes that an array of whole numbers names."""
    if array.dtype.kind == "f":
        return TensorType("f32", array.shape[1:])
    return TensorType("index", array.shape[1:], classes=classes)


def build(inputs: Mapping[str, TensorType], add: Callable[[Builder], str]) -> tuple[Builder, str]:
    """A graph of named inputs and whatever `add` puts on them -> (builder, the last value's name)."""
    builder = Builder()
    with builder.at(PLACE, layer="tested"):
        for name, type in inputs.items():
            builder.source("input", name, type)
        return builder, add(builder)


def layer(builder: Builder, name: str, arguments: Mapping[str, Any], values: list[str]) -> str:
    """Lower one layer as the elaborator does, defaults filled in."""
    cls = LAYERS[name]
    full = with_defaults(cls, arguments)
    cls.guard(full, [builder.type_of(value) for value in values])
    return cls.lower(builder, full, values, {})


def with_defaults(declared: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    assert set(given) <= set(declared.parameters), f"{declared.name} takes {', '.join(declared.parameters)}"
    return {key: given.get(key, param.default) for key, param in declared.parameters.items()}


def run(builder: Builder, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every value of the graph, in double precision."""
    known = dict(values)
    for node in builder.nodes:
        if node.name in known:
            continue
        if node.op == "constant":
            known[node.name] = np.asarray(node.attribute("value"), np.float64)
            continue
        assert node.op not in SOURCES, f"no value for {node.name}"
        extra = {"dtype": np.float64, "batched": node.type.batched}
        run_time = {key: extra[key] for key in OPS[node.op].run_time}
        known[node.name] = OPS[node.op].reference(*(known[i] for i in node.inputs), **node.keywords, **run_time)
    return known


def backward(builder: Builder, value: str, upstream: str, wanted: str) -> str:
    """Add the nodes that carry `upstream`, the gradient of `value`, back to `wanted` -> that gradient's name."""
    gradients = {value: upstream}
    with builder.at(PLACE, layer="tested"):
        for node in reversed(list(builder.nodes)):
            if node.name not in gradients or node.op in SOURCES:
                continue
            found = OPS[node.op].gradient(builder, node, gradients[node.name])
            for name, part in zip(node.inputs, found, strict=True):
                if part is not None:
                    known = gradients.get(name)
                    gradients[name] = part if known is None else builder.add("add", [known, part])
    return gradients[wanted]
