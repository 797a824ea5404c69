"""The plan of one model for the numba target: launches, memory and chunks. Nothing in it depends on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import SOURCES, Graph
from kdsl.graph.types import TensorType
from kdsl.ops.registry import OPS
from kdsl.plan.launch import RowFunction
from kdsl.plan.layout import Layout, last_axis
from kdsl.plan.maps import Maps
from kdsl.plan.memory import MemoryMap, map_memory, share_scratch
from kdsl.plan.names import Names
from kdsl.plan.places import Outside
from kdsl.plan.rows import lower_rows
from kdsl.plan.update import Group, grouped, terms_of, weight_steps

BLOCK = 16  # rows: a multiple of every tile's
WORTH = 700_000  # floating-point operations that are worth a block of their own


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """train, evaluate   None for a model without a train block
    block_rows        rows that one thread takes at a time; `batch` is the planned batch
    scratch           numbers each thread has for itself
    groups            the chunks of the update
    """

    program: ModelProgram
    predict: RowFunction
    evaluate: RowFunction | None
    train: RowFunction | None
    memory: MemoryMap
    maps: Maps
    groups: tuple[Group, ...]
    batch: int
    block_rows: int
    scratch: int
    clip: str | None

    @property
    def update_chunks(self) -> int:
        return sum(group.chunks for group in self.groups)


def plan_model(
    program: ModelProgram, graphs: Any, taken: Iterable[str], prefix: str = "", reuse: bool = True
) -> ModelPlan:
    """`taken` are module-level names that must not be given again; `graphs` has `predict`, `evaluate` and `train`."""
    names = Names(taken)
    capital = prefix.upper()
    constants = {record.name: names(f"{capital}{_constant(record.name)}") for record in program.weights}
    copies: dict[str, str] = {}
    vectors: dict[tuple[float, ...], str] = {}
    maps = Maps(lambda wanted: names.fresh(f"{prefix}{wanted}"))

    def transposed(path: str) -> str:
        return copies.setdefault(path, f"{constants[path]}_TRANSPOSED")

    def vector(values: tuple[float, ...]) -> str:
        return vectors.setdefault(values, names.fresh(f"{capital}CONSTANTS_{len(vectors)}"))

    outside = Outside(constants.__getitem__, transposed, vector, maps, frozenset(taken))
    outputs: dict[str, Layout | None] = {value: None for _, value in graphs.predict.outputs}
    predict = lower_rows(graphs.predict, outside, outputs)
    share_scratch(predict, (), reuse)
    evaluate = train = None
    slots: tuple[str, ...] = ()
    clip: str | None = None
    kept: dict[str, Layout | None] = {}
    if program.training is not None:
        from kdsl.training.optimizers import OPTIMIZERS

        evaluate = lower_rows(graphs.evaluate, outside, {})
        share_scratch(evaluate, (), reuse)
        for _, value in graphs.train.gradients:
            for term in terms_of(graphs.train, value):
                for operand in term.inputs:
                    kept[operand] = last_axis(graphs.train[operand].type)
        train = lower_rows(graphs.train, outside, kept)
        share_scratch(train, {buffer.name for buffer in train.places.values()}, reuse)
        flags = dict(program.training.optimizer.flags)
        slots = OPTIMIZERS[program.training.optimizer.name].slots(flags)
        clip = str(flags["clip"]) if flags.get("clip") in ("norm", "global_norm") else None
    functions = [f for f in (predict, evaluate, train) if f is not None]
    memory = map_memory(
        [(record.name, constants[record.name], record.shape) for record in program.weights],
        [(name, values) for values, name in vectors.items()],
        list(copies),
        slots,
        max([b.layout.row for f in functions for b in f.buffers.values()], default=0),
        clip is not None,
    )
    batch = program.training.batch if program.training is not None else 2 * BLOCK
    groups: list[Group] = []
    work = 0
    if train is not None:
        places = [(memory.weights[weight], value) for weight, value in graphs.train.gradients]
        steps = weight_steps(graphs.train, places, batch)
        groups = grouped(steps)
        work = max([step.weight.lines * step.cut for step in steps], default=0)
    block_rows = _block_rows(graphs.train if train is not None else graphs.predict, batch)
    scratch = max(block_rows * max(f.scratch for f in functions), 2 * work)
    return ModelPlan(program, predict, evaluate, train, memory, maps, tuple(groups), batch, block_rows, scratch, clip)


def _constant(path: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in path).upper()


def _block_rows(graph: Graph, batch: int) -> int:
    """Enough rows to be worth a block, at most the batch. Weights are read once for every block: no less than 32 rows,
    unless the batch is so small that a second thread would have nothing to do."""
    worth = -(-WORTH // max(1, _row_flops(graph)))
    least = 2 * BLOCK if batch >= 4 * BLOCK else BLOCK
    return max(least, -(-min(worth, batch) // BLOCK) * BLOCK)


def _row_flops(graph: Graph) -> int:
    """Floating-point operations of the batched part, for each row."""
    types: dict[str, TensorType] = {node.name: node.type for node in graph}
    total = 0
    for node in graph:
        for part in node.body or (node,):
            types[part.name] = part.type
            if part.op not in SOURCES and node.type.batched:
                total += OPS[part.op].cost([types[i] for i in part.inputs], part.type, part.keywords).flops
    return total
