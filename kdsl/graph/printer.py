"""A graph as text, one node a line: what `kdsl ir` shows.

    digits {
      image         = input("image")                   : u8[*, 28, 28]   # digits.kmodel:2
      logits.dense  = matmul(image.cast, kernel)       : f32[*, 10]      # digits.kmodel:5
    }

`*` is the batch axis. A fused node is followed by its body, indented. Lines after `#` are where a value comes from.
"""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.graph.graph import FUSED, Attribute, Graph, Node
from kdsl.graph.types import TensorType

WIDEST = 60  # a column is aligned up to here; longer calls push what follows to the right


def print_graph(graph: Graph) -> str:
    """The whole graph, ending in a line feed."""
    rows = [row for node in graph.nodes for row in _rows(node)]
    widths = [min(WIDEST, max((len(row[column]) for row in rows), default=0)) for column in range(3)]
    lines = [f"{graph.name} {{"]
    for name, call, type, origin in rows:
        lines.append(f"  {name:{widths[0]}} = {call:{widths[1]}} : {type:{widths[2]}}  # {origin}")
    lines += [f"  {line}" for line in _results(graph)]
    return "\n".join([*lines, "}", ""])


def _rows(node: Node, depth: int = 0) -> Iterator[tuple[str, str, str, str]]:
    yield "  " * depth + node.name, _call(node), type_text(node.type), origin_text(node)
    for part in node.body:
        yield from _rows(part, depth + 1)


def _call(node: Node) -> str:
    if node.op in ("input", "target", "constant"):
        keyword = "value" if node.op == "constant" else "name"
        return f"{node.op}({_value(node.attribute(keyword))})"
    if node.op == FUSED:
        return f"fused {node.attribute('kind')}({', '.join(node.inputs)})"
    settings = [f"{key}={_value(value)}" for key, value in node.attributes]
    return f"{node.op}({', '.join([*node.inputs, *settings])})"


def _value(value: Attribute) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _results(graph: Graph) -> Iterator[str]:
    for name, value in graph.outputs:
        yield f"output {name} = {value}"
    if graph.loss is not None:
        yield f"loss = {graph.loss}"
    for name, value in graph.metrics:
        yield f"metric {name} = {value}"
    for name, value in graph.gradients:
        yield f"gradient of {name} = {value}"
    for name, value in graph.updates:
        yield f"update of {name} = {value}"


def type_text(type: TensorType) -> str:
    """`f32[*, 128]`: the type with its batch axis, which no other text of the compiler shows."""
    if not type.batched:
        return str(type)
    name = f"index({type.classes})" if type.dtype == "index" else type.dtype
    return f"{name}[{', '.join(['*', *map(str, type.shape)])}]"


def origin_text(node: Node) -> str:
    """`digits.kmodel:5`, or `digits.kmodel:5, 7` for a value that comes from several lines."""
    lines: dict[str, set[int]] = {}
    for span in node.origin:
        lines.setdefault(span.source.name, set()).add(span.line)
    return "; ".join(f"{name}:{', '.join(map(str, sorted(numbers)))}" for name, numbers in lines.items())
