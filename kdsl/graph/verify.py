"""What a legal graph is, as code: the executable specification of the intermediate representation.

forward         as elaboration makes it: no op of a backward pass, nothing fused, no gradients
differentiated  with a backward pass
optimised       besides, nodes may be fused
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import signature
from typing import Literal

from kdsl.graph.graph import FUSED, SOURCES, Attribute, Graph, Node
from kdsl.graph.types import FLOAT_SCALAR, TensorType

Stage = Literal["forward", "differentiated", "optimised"]
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
KINDS = ("contraction", "elementwise", "reduction")
REDUCTIONS = frozenset({"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "sum_to"})


class VerifyError(Exception):
    """The compiler made an illegal graph: its own fault, never the user's."""


def verify(graph: Graph, stage: Stage = "optimised") -> None:
    """Raises VerifyError with the first thing that is not legal at this stage."""
    types: dict[str, TensorType] = {}
    for node in graph.nodes:
        _node(node, types, stage)
        types[node.name] = node.type
    if stage == "forward":  # later, the backward pass draws its masks anew from the streams of the forward pass
        _streams(graph)
    _results(graph, types, stage)


def _fail(node: Node, what: str) -> VerifyError:
    return VerifyError(f"{node.name} = {node.op}: {what}")


def _node(node: Node, types: Mapping[str, TensorType], stage: Stage) -> None:
    if not NAME.fullmatch(node.name):
        raise _fail(node, "is not a legal name")
    if node.name in types:
        raise _fail(node, "is defined twice")
    if not node.origin:
        raise _fail(node, "has no origin in the source")
    keys = [key for key, _ in node.attributes]
    if keys != sorted(set(keys)):
        raise _fail(node, f"attributes must be sorted and distinct: {', '.join(keys)}")
    for value in node.inputs:
        if value not in types:
            raise _fail(node, f"reads {value}, which is not defined before it")
    if node.type.dtype == "index" and not node.type.classes:
        raise _fail(node, "an index needs its number of classes")
    if node.body and node.op != FUSED:
        raise _fail(node, "only fused nodes have a body")
    if node.op in SOURCES:
        _source(node)
    elif node.op == FUSED:
        _fused(node, types, stage)
    else:
        _op(node, types, stage)


def _source(node: Node) -> None:
    """Values from outside: inputs and targets by the user's name, weights by path, constants by value."""
    if node.inputs:
        raise _fail(node, "takes no inputs")
    keywords = node.keywords
    if node.op in ("input", "target"):
        if not isinstance(keywords.get("name"), str):
            raise _fail(node, "needs the attribute `name`")
        if not node.type.batched:
            raise _fail(node, "has a batch axis")
    elif node.type.batched or node.type.dtype != "f32":
        raise _fail(node, f"is f32 without a batch axis, not {node.type}")
    if node.op == "constant" and node.type.shape != _constant_shape(node, keywords.get("value")):
        raise _fail(node, f"the value is not of the shape {node.type.dims}")


def _constant_shape(node: Node, value: Attribute) -> tuple[int, ...]:
    values = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        raise _fail(node, "is a number or a tuple of numbers")
    return (len(values),) if isinstance(value, tuple) else ()


def _op(node: Node, types: Mapping[str, TensorType], stage: Stage) -> None:
    from kdsl.ops.registry import OPS, Refused

    op = OPS.get(node.op)
    if op is None:
        raise _fail(node, "no such op")
    if op.backward and stage == "forward":
        raise _fail(node, "belongs to a backward pass, but the graph is not differentiated")
    parameters = signature(op.reference).parameters.values()
    inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    attributes = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} - set(op.run_time)
    if any_number and not node.inputs:
        raise _fail(node, "takes at least one input")
    if not any_number and len(node.inputs) != len(inputs):
        raise _fail(node, f"takes {len(inputs)} inputs ({', '.join(inputs)}), not {len(node.inputs)}")
    if set(node.keywords) != attributes:
        raise _fail(node, f"has the attributes {sorted(node.keywords)}, wants {sorted(attributes)}")
    try:
        inferred = op.infer([types[i] for i in node.inputs], node.keywords)
    except (Refused, ValueError) as problem:
        raise _fail(node, str(problem)) from problem
    if inferred != node.type:
        raise _fail(node, f"is {_full(inferred)}, but is said to be {_full(node.type)}")


def _fused(node: Node, types: Mapping[str, TensorType], stage: Stage) -> None:
    """A body reads the fused node's inputs and what stands before it in the body; its last value is the node's."""
    from kdsl.ops.registry import OPS

    if stage != "optimised":
        raise _fail(node, f"nothing is fused in a {stage} graph")
    kind = node.keywords.get("kind")
    if kind not in KINDS:
        raise _fail(node, f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    if len(node.body) < 2:
        raise _fail(node, "a body has at least two nodes")
    inside = {name: types[name] for name in node.inputs}
    read: set[str] = set()
    for number, part in enumerate(node.body):
        if part.op in SOURCES or part.op == FUSED:
            raise _fail(node, f"{part.op} cannot be part of a body")
        if part.name in types:
            raise _fail(node, f"{part.name} is defined outside as well")
        _node(part, inside, "differentiated")
        first = kind == "contraction" and number == 0
        if first != part.op.startswith(("matmul", "conv")):
            raise _fail(node, f"{part.op} cannot stand at place {number} of a {kind}")
        reduces = kind == "reduction" and number == len(node.body) - 1
        if reduces != (part.op in REDUCTIONS):
            raise _fail(node, f"{part.op} cannot stand at place {number} of a {kind}")
        if not first and not reduces and not (OPS[part.op].elementwise or part.op == "dropout"):
            raise _fail(node, f"{part.op} is not elementwise")
        if not reduces and (part.type.shape, part.type.batched) != (node.body[0].type.shape, node.body[0].type.batched):
            raise _fail(node, f"{part.name} is of another shape than {node.body[0].name}")
        if kind == "contraction" and number and node.body[number - 1].name not in part.inputs:
            raise _fail(node, f"{part.name} does not read {node.body[number - 1].name}, the value before it")
        inside[part.name] = part.type
        read |= set(part.inputs)
    unread = [name for name in inside if name not in read and name != node.body[-1].name]
    if unread:
        raise _fail(node, f"nothing in the body reads {', '.join(unread)}")
    if node.body[-1].name != node.name or node.body[-1].type != node.type:
        raise _fail(node, f"the body ends in {node.body[-1].name}: {_full(node.body[-1].type)}")


def _streams(graph: Graph) -> None:
    """Two random ops that share a stream would draw the same mask."""
    seen: dict[Attribute, str] = {}
    for node in graph.nodes:
        if "stream" not in node.keywords:
            continue
        other = seen.setdefault(node.attribute("stream"), node.name)
        if other != node.name:
            raise _fail(node, f"draws from the stream of {other}")


def _results(graph: Graph, types: Mapping[str, TensorType], stage: Stage) -> None:
    for name in graph.results:
        if name not in types:
            raise VerifyError(f"{graph.name}: the result {name} is not defined")
    scalars = [*([] if graph.loss is None else [("loss", graph.loss)]), *graph.metrics]
    for name, value in scalars:
        if types[value] != FLOAT_SCALAR:
            raise VerifyError(f"{graph.name}: {name} is one number for the batch, not {_full(types[value])}")
    if graph.gradients and stage == "forward":
        raise VerifyError(f"{graph.name}: a forward graph has no gradients")
    for weight, value in graph.gradients:
        if weight not in graph or graph[weight].op != "weight":
            raise VerifyError(f"{graph.name}: there is a gradient of {weight}, which is no weight")
        if types[value] != types[weight]:
            raise VerifyError(f"{graph.name}: the gradient of {weight} is {_full(types[value])}")
    for weight, value in graph.updates:
        if weight not in graph or graph[weight].op != "weight" or graph[weight].keywords.get("trainable", True):
            raise VerifyError(f"{graph.name}: there is an update of {weight}, which is no weight that stays untrained")
        if types[value] != types[weight]:
            raise VerifyError(f"{graph.name}: the update of {weight} is {_full(types[value])}")
    for what, names in (
        ("output", [name for name, _ in graph.outputs]),
        ("metric", [name for name, _ in graph.metrics]),
        ("gradient", [name for name, _ in graph.gradients]),
        ("update", [name for name, _ in graph.updates]),
    ):
        if len(set(names)) != len(names):
            raise VerifyError(f"{graph.name}: an {what} is named twice")


def _full(type: TensorType) -> str:
    return f"{type} {'for each sample' if type.batched else 'without a batch'}"
