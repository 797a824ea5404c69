"""The rows of a model's summary: its layers in the order they run, blocks before what is in them, weights of the user."""

from __future__ import annotations

from math import prod

from kdsl.codegen.text import place
from kdsl.elaborate.program import CallRecord, LayerRecord, ModelProgram, WeightRecord
from kdsl.graph.graph import SOURCES
from kdsl.ops.registry import OPS
from kdsl.passes.inference import Inference
from kdsl.runtime.declaration import Layer


def rows_of(program: ModelProgram) -> tuple[Layer, ...]:
    """Every layer, call of a block and `weight` of the program. A weight that several share counts where it was made."""
    order = {node.name: number for number, node in enumerate(program.graph)}
    of_layers = {name for layer in program.layers for name in layer.weights}
    found: list[tuple[int, Layer]] = []
    work = work_by_path(program)
    for weight in program.weights:
        if weight.name not in of_layers:
            found.append((order[weight.name], _weight_row(weight)))
    for layer in program.layers:
        found.append((order[layer.value], _layer_row(program, layer, work)))
    for block in program.calls:
        inside = f"{block.path}."
        numbers = [number for number, row in found if row.path.startswith(inside)]
        first = min([*numbers, *(order[value] for value in block.values)], default=len(order))
        found.append((first, _block_row(program, block, work)))
    blocks = {block.path for block in program.calls}
    found.sort(key=lambda pair: (pair[0], pair[1].path not in blocks, pair[1].path.count(".")))
    return tuple(row._replace(level=_level(row.path, blocks)) for _, row in found)


def _level(path: str, blocks: set[str]) -> int:
    """How many blocks enclose it."""
    parts = path.split(".")
    return sum(".".join(parts[:count]) in blocks for count in range(1, len(parts)))


def _layer_row(program: ModelProgram, layer: LayerRecord, work: dict[str, int]) -> Layer:
    parameters = sum(prod(weight.shape) for weight in program.weights if weight.name in layer.weights)
    return Layer(layer.path, layer.text, str(layer.type), parameters, place(layer.span), work.get(layer.path, 0))


def _weight_row(weight: WeightRecord) -> Layer:
    shape = str(list(weight.shape)) if weight.shape else ""
    text = "weight" if weight.trainable else "frozen weight"
    return Layer(weight.name, text, f"f32{shape}", prod(weight.shape), place(weight.span))


def _block_row(program: ModelProgram, block: CallRecord, work: dict[str, int]) -> Layer:
    inside = f"{block.path}."
    parameters = sum(prod(weight.shape) for weight in program.weights if weight.name.startswith(inside))
    flops = sum(count for path, count in work.items() if f"{path}.".startswith(inside))
    types = ", ".join(map(str, block.types))
    return Layer(block.path, block.text, types, parameters, place(block.span), flops)


def work_by_path(program: ModelProgram) -> dict[str, int]:
    """Path of a layer, or of the place where an operator stands -> its floating-point operations for each sample, when
    nothing is dropped."""
    graph = Inference().run(program.graph)
    found: dict[str, int] = {}
    for node in graph:
        if node.op not in SOURCES:
            types = [graph[name].type for name in node.inputs]
            found[node.layer] = found.get(node.layer, 0) + OPS[node.op].cost(types, node.type, node.keywords).flops
    return found
