"""Layers that adapt to the data before training: a method of the model's class, and what it calls."""

from __future__ import annotations

from dataclasses import dataclass

from kdsl.codegen.carry import carried_module
from kdsl.codegen.text import call, indented, pyrepr
from kdsl.elaborate.program import LayerRecord, ModelProgram
from kdsl.graph.graph import Node
from kdsl.ops.adapting import way_from_input
from kdsl.ops.type_rules import whole_numbers


@dataclass(frozen=True, slots=True)
class AdaptText:
    """A method of the model's class, and what it needs: (title, text) pairs and imports."""

    method: str = ""
    imports: tuple[str, ...] = ()
    carried: tuple[tuple[str, str], ...] = ()


def adapt_text(program: ModelProgram) -> AdaptText:
    calls = [_call(program, record) for record in program.layers if record.layer == "standardize" and record.weights]
    if not calls:
        return AdaptText()
    import kdsl.runtime.adapt

    library = carried_module(kdsl.runtime.adapt)
    head = "def _adapt(self, inputs: Arrays) -> None:"
    method = "\n".join([head, *(indented(text, 4) for text in calls)])
    return AdaptText(method, tuple(library.imports), ((library.title, library.text),))


def _call(program: ModelProgram, record: LayerRecord) -> str:
    """The weights of one layer, from the data as the layer sees it."""
    nodes = {node.name: node for node in program.graph}
    way = way_from_input(nodes, record.inputs[0])
    assert way is not None, f"{record.path} does not see an input"
    place = [port.name for port in program.inputs].index(str(way[0].attribute("name")))
    mean, variance = record.weights
    subtracted = next(node for node in program.graph.of("subtract") if node.layer == record.path).inputs[1]
    kept = nodes[subtracted].type.shape
    first = way[-1].type.rank - len(kept)
    axes = (*range(first), *(first + axis for axis, size in enumerate(kept) if size == 1))
    data = f"inputs[{place}]{''.join(map(_move, way[1:]))}"
    arguments = [pyrepr(mean), pyrepr(variance), data, pyrepr(axes)]
    return call("adapt_layer(", ["self._core", *arguments, "self._scalar"], used=8)


def _move(node: Node) -> str:
    """What an op does, said of an array with its rows first."""
    if node.op == "reshape":
        return f".reshape({', '.join(map(str, (-1, *node.type.shape)))})"
    if node.op == "transpose":
        return f".transpose({', '.join(str(axis + 1) for axis in (-1, *whole_numbers(node.attribute('axes'))))})"
    if node.op == "slice":
        ends = zip(*(whole_numbers(node.attribute(key)) for key in ("starts", "stops", "steps")), strict=True)
        parts = (f"{start}:{stop}" + (f":{step}" if step > 1 else "") for start, stop, step in ends)
        return f"[{', '.join([':', *parts])}]"
    return ""
