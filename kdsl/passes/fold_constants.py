"""What is known when compiling is computed when compiling."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import ClassVar

from kdsl.graph.graph import Attribute, Graph, Node, attributes_of
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass, replace

# Ops that change nothing where they leave the type as it is.
SAME = ("linear", "cast", "reshape", "broadcast_to", "sum_to", "reduce_sum", "reduce_mean", "reduce_max", "reduce_min")


@dataclass(frozen=True)
class FoldConstants(Pass):
    """Elementwise ops on constants become constants (in double precision); ops that change nothing go: `linear`,
    `x + 0`, `x - 0`, `x * 1`, `x / 1`, `x ** 1`, `-(-x)`, dropout of rate 0, a cast of floats, a reshape to the shape it
    has, reductions of axes of size 1 that keep them, a transpose that keeps the order."""

    name: ClassVar[str] = "fold_constants"

    def run(self, graph: Graph) -> Graph:
        names: dict[str, str] = {}
        kept: dict[str, Node] = {}
        for original in graph.nodes:
            node = original.renamed(names)
            same = _unchanged(node, kept)
            if same is not None:
                names[node.name] = same
            else:
                kept[node.name] = _folded(node, kept)
        return graph.with_results(names, tuple(kept.values()))


def _unchanged(node: Node, kept: Mapping[str, Node]) -> str | None:
    """The input that the node's value equals, or None."""
    candidates: tuple[str, ...] = ()
    if node.op in SAME or _does_nothing(node):
        candidates = node.inputs
    elif node.op == "negative" and kept[node.inputs[0]].op == "negative":
        candidates = kept[node.inputs[0]].inputs
    elif node.op in ("add", "multiply"):
        x, y = node.inputs
        neutral = 0.0 if node.op == "add" else 1.0
        candidates = (*((x,) if _is(kept[y], neutral) else ()), *((y,) if _is(kept[x], neutral) else ()))
    elif node.op in ("subtract", "divide", "power"):
        neutral = 0.0 if node.op == "subtract" else 1.0
        candidates = node.inputs[:1] if _is(kept[node.inputs[1]], neutral) else ()
    return next((name for name in candidates if kept[name].type == node.type), None)


def _does_nothing(node: Node) -> bool:
    """By its attributes."""
    if node.op == "transpose":
        return node.attribute("axes") == tuple(range(node.type.rank))
    return node.op == "dropout" and node.attribute("rate") == 0


def _is(node: Node, number: float) -> bool:
    return node.op == "constant" and node.attribute("value") == number


def _folded(node: Node, kept: Mapping[str, Node]) -> Node:
    """The node, as a constant where all it reads is constant."""
    from kdsl.ops.registry import OPS

    inputs = [kept[name] for name in node.inputs]
    op = OPS.get(node.op)
    if op is None or not op.elementwise or op.run_time or not inputs or node.type.rank > 1 or node.type.dtype != "f32":
        return node
    if any(i.op != "constant" for i in inputs):
        return node
    from kdsl.ops.lazy import np

    arrays = [np.asarray(i.attribute("value"), "float64") for i in inputs]
    with np.errstate(all="ignore"):
        result = np.asarray(op.reference(*arrays, **node.keywords)).tolist()
    numbers = result if isinstance(result, list) else [result]
    if not all(isfinite(number) for number in numbers):
        return node
    value: Attribute = tuple(numbers) if isinstance(result, list) else result
    return replace(node, op="constant", inputs=(), attributes=attributes_of({"value": value}))
