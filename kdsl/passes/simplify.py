"""Arithmetic written as cheaper arithmetic that means the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kdsl.graph.builder import Builder
from kdsl.graph.graph import Graph, Node, attributes_of
from kdsl.graph.types import TensorType
from kdsl.ops.mixing import WITH_SHARES
from kdsl.ops.type_rules import whole_numbers
from kdsl.passes.origins import merged
from kdsl.passes.pass_ import Pass
from kdsl.records import dataclass, replace

SUMS = ("sum_to", "reduce_sum", "reduce_mean")
WITH_CLASSES = {shares: classes for classes, shares in WITH_SHARES.items()}
POWERS = {2.0: "square", 0.5: "sqrt", -0.5: "rsqrt"}

Nodes = Mapping[str, Node]


@dataclass(frozen=True)
class Simplify(Pass):
    """Powers that have an op of their own, `x ** 2`, `x ** 0.5`, `x ** -1`, `x ** 3`, and `x * x`; `1 / sqrt(x)`; `x + -y`;
    two transposes in a row; a value repeated for an op that repeats by itself, or before one that it could follow; a division by a value that is repeated,
    which becomes a product with its reciprocal; a factor inside a sum, which goes in front of it; a comparison with a class's
    one-hot vector, which becomes one with the class."""

    name: ClassVar[str] = "simplify"

    def run(self, graph: Graph) -> Graph:
        build = Builder()
        seen: dict[str, Node] = {}
        for original in graph.nodes:
            node = _one_step(original, seen)
            with build.at(*node.origin, layer=node.layer):
                for part in _several(node, seen, graph) or (node,):
                    seen[part.name] = part
                    build.append(part)
        return graph.with_results({}, tuple(build.nodes))


def _one_step(node: Node, seen: Nodes) -> Node:
    """The same node as another op, or reading other values."""
    for rule in (_power, _product, _sum, _inverse_root, _transpose, _repeated, _one_hot):
        changed = rule(node, seen)
        if changed is not None:
            return changed
    return node


def _as(node: Node, op: str, *inputs: str, others: tuple[Node, ...] = (), **attributes: object) -> Node:
    origin = merged([node, *others])
    return replace(node, op=op, inputs=inputs, attributes=attributes_of(dict(attributes)), origin=origin)  # type: ignore[arg-type]


def _number(node: Node) -> float | None:
    """The value of a constant that is one number."""
    value = node.attribute("value") if node.op == "constant" else None
    return float(value) if isinstance(value, (int, float)) else None


def _power(node: Node, seen: Nodes) -> Node | None:
    if node.op != "power":
        return None
    op = POWERS.get(_number(seen[node.inputs[1]]) or 0.0)
    return _as(node, op, node.inputs[0]) if op else None


def _product(node: Node, seen: Nodes) -> Node | None:
    if node.op == "multiply" and node.inputs[0] == node.inputs[1]:
        return _as(node, "square", node.inputs[0])
    return None


def _sum(node: Node, seen: Nodes) -> Node | None:
    """`x + -y`, `-x + y`, `x - -y`."""
    if node.op not in ("add", "subtract"):
        return None
    x, y = (seen[name] for name in node.inputs)
    if y.op == "negative":
        return _as(node, "subtract" if node.op == "add" else "add", x.name, y.inputs[0], others=(y,))
    if node.op == "add" and x.op == "negative":
        return _as(node, "subtract", y.name, x.inputs[0], others=(x,))
    return None


def _inverse_root(node: Node, seen: Nodes) -> Node | None:
    if node.op != "divide" or _number(seen[node.inputs[0]]) != 1.0:
        return None
    root = seen[node.inputs[1]]
    return _as(node, "rsqrt", root.inputs[0], others=(root,)) if root.op == "sqrt" else None


def _transpose(node: Node, seen: Nodes) -> Node | None:
    if node.op != "transpose" or seen[node.inputs[0]].op != "transpose":
        return None
    inner = seen[node.inputs[0]]
    order = whole_numbers(inner.attribute("axes"))
    axes = tuple(order[axis] for axis in whole_numbers(node.attribute("axes")))
    return _as(node, "transpose", *inner.inputs, others=(inner,), axes=axes)


def _one_hot(node: Node, seen: Nodes) -> Node | None:
    if node.op not in WITH_CLASSES or seen[node.inputs[1]].op != "one_hot":
        return None
    scores, vector = (seen[name] for name in node.inputs)
    index = seen[vector.inputs[0]]
    if index.type.classes != scores.type.shape[-1]:
        return None
    return _as(node, WITH_CLASSES[node.op], scores.name, index.name, others=(vector,), **node.keywords)


def _repeated(node: Node, seen: Nodes) -> Node | None:
    """An elementwise op that reads a `broadcast_to`, where the other inputs alone give its shape."""
    from kdsl.ops.registry import OPS

    op = OPS.get(node.op)
    if op is None or not op.elementwise or _is_of_repeated(node, seen):
        return None
    for place, name in enumerate(node.inputs):
        if seen[name].op != "broadcast_to":
            continue
        inputs = (*node.inputs[:place], *seen[name].inputs, *node.inputs[place + 1 :])
        if _type(node, inputs, seen) == node.type:
            return replace(node, inputs=inputs, origin=merged([node, seen[name]]))
    return None


def _type(node: Node, inputs: tuple[str, ...], seen: Nodes) -> TensorType | None:
    from kdsl.ops.registry import OPS, Refused

    try:
        return OPS[node.op].infer([seen[name].type for name in inputs], node.keywords)
    except (Refused, ValueError):
        return None


def _several(node: Node, seen: Nodes, graph: Graph) -> tuple[Node, ...] | None:
    """Two or three nodes for one: `x ** 3`, `x ** -1`, `x / s` with an s of fewer elements, of each of which the reciprocal
    is taken once, and sums of products such as `sum(x * 2)`."""
    if _is_of_repeated(node, seen):
        return _repeated_later(node, seen, graph)
    if node.op in SUMS:
        return _factors_in_front(node, seen, graph)
    if node.op not in ("power", "divide"):
        return None
    read = {name: None for each in node.inputs for name in (each, *seen[each].inputs)}
    build = Builder(seen[name] for name in read)
    exponent = _number(seen[node.inputs[1]]) if node.op == "power" else None
    with build.at(*node.origin, layer=node.layer):
        if exponent == 3.0:
            square = build.add("square", node.inputs[:1], name=_unused(graph, f"{node.name}.square"))
            build.add("multiply", [square, node.inputs[0]], name=node.name)
        elif exponent == -1.0:
            one = build.constant(1.0, _unused(graph, f"{node.name}.one"))
            build.add("divide", [one, node.inputs[0]], name=node.name)
        elif node.op == "divide" and _is_repeated(seen[node.inputs[1]], seen[node.inputs[0]], node):
            reciprocal = _reciprocal(build, seen[node.inputs[1]], graph, node.name)
            build.add("multiply", [node.inputs[0], reciprocal], name=node.name)
        else:
            return None
    return tuple(part for part in build.nodes if part.name not in read)


def _reciprocal(build: Builder, divisor: Node, graph: Graph, owner: str) -> str:
    name = _unused(graph, f"{owner}.reciprocal")
    if divisor.op == "sqrt":
        return build.add("rsqrt", divisor.inputs, name=name)
    return build.add("divide", [build.constant(1.0, _unused(graph, f"{owner}.one")), divisor.name], name=name)


def _is_of_repeated(node: Node, seen: Nodes) -> bool:
    """Whether an elementwise op reads values that are repeated alike, and numbers, and nothing else."""
    from kdsl.ops.registry import OPS

    op = OPS.get(node.op)
    inputs = [seen[name] for name in node.inputs]
    if op is None or not op.elementwise or op.run_time or not any(each.op == "broadcast_to" for each in inputs):
        return False
    small = {seen[each.inputs[0]].type for each in inputs if each.op == "broadcast_to"}
    return len(small) == 1 and all(each.op == "broadcast_to" or _number(each) is not None for each in inputs)


def _repeated_later(node: Node, seen: Nodes, graph: Graph) -> tuple[Node, ...]:
    """The op on what is repeated, and then its result repeated."""
    inner = [seen[name].inputs[0] if seen[name].op == "broadcast_to" else name for name in node.inputs]
    build = Builder(seen[name] for name in dict.fromkeys(inner))
    with build.at(*node.origin, layer=node.layer):
        small = build.add(node.op, inner, node.keywords, name=_unused(graph, f"{node.name}.small"))
        build.add("broadcast_to", [small], {"shape": node.type.shape}, name=node.name)
    return tuple(build.nodes[-2:])


def _factors_in_front(node: Node, seen: Nodes, graph: Graph) -> tuple[Node, ...] | None:
    """The sum of what is left without the factors that all summands of one result share, then the factors."""
    steps: list[tuple[str, tuple[str, ...]]] = []
    summand = node.inputs[0]
    while (found := _summand(node, seen[summand], seen)) is not None:
        steps.append((seen[summand].op, found[1:]))
        summand = found[0]
    if not steps:
        return None
    known = dict.fromkeys([summand, *(name for _, others in steps for name in others)])
    build = Builder(seen[name] for name in known)
    with build.at(*node.origin, layer=node.layer):
        value = build.add(node.op, [summand], node.keywords, name=_unused(graph, f"{node.name}.sum"))
        for number, (op, others) in enumerate(reversed(steps)):
            last = number == len(steps) - 1
            name = node.name if last else _unused(graph, f"{node.name}.{op}")
            value = build.add(op, [value, *others], name=name)
    return tuple(part for part in build.nodes if part.name not in known)


def _summand(node: Node, linear: Node, seen: Nodes) -> tuple[str, ...] | None:
    """What a sum could sum up instead of `linear`, and the factor of `linear`, if it is one that all summands of one result
    share: a constant number, or for sums over the batch a value without rows that is as large as the result."""
    if linear.op == "negative":
        return linear.inputs
    if linear.op != "multiply":
        return None
    for x, factor in (linear.inputs, linear.inputs[::-1]):
        number = _number(seen[factor]) is not None
        same = node.op == "sum_to" and not seen[factor].type.batched and seen[factor].type == node.type
        if (number or same) and seen[x].type == linear.type:
            return x, factor
    return None


def _is_repeated(divisor: Node, dividend: Node, quotient: Node) -> bool:
    """Whether the divisor has fewer elements than the quotient, and the dividend as many."""
    if divisor.op == "constant" or dividend.type != quotient.type:
        return False
    return divisor.type.size < quotient.type.size or divisor.type.batched < quotient.type.batched


def _unused(graph: Graph, name: str) -> str:
    while name in graph:
        name += "_"
    return name
