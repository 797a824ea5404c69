"""The plan of one model for the numba target: launches, memory and chunks. Nothing in it depends on the machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import SOURCES, Graph
from kdsl.graph.types import TensorType
from kdsl.ops.registry import OPS
from kdsl.plan.ahead import Ahead, take_ahead
from kdsl.plan.launch import Stages
from kdsl.plan.levels import levels
from kdsl.plan.maps import Maps
from kdsl.plan.memory import MemoryMap, WeightNeeds, map_memory, place_buffers
from kdsl.plan.names import Names
from kdsl.plan.places import Outside
from kdsl.plan.rows import lower_rows
from kdsl.plan.turned import read_by_products, without_turned_sums
from kdsl.plan.update import Group, WeightStep, grouped, late_steps, weight_steps

BLOCK, TILE = 16, 4  # rows: a multiple of every tile's, and those of the smallest tile
WORTH = 700_000  # floating-point operations that are worth a block of their own
CACHE = 1 << 19  # numbers that a block's rows may fill
BATCH_OF_EVALUATION = 256  # rows that `evaluate` and `predict` take as one batch where that matters


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """train, evaluate   None for a model without a train block
    block_rows        rows that one thread takes at a time, and why so many; `batch` is the planned batch
    scratch           numbers each thread has for itself: those of a block's rows, and from `room` on what kernels use
    ahead             products that the update makes for the next batch, by the paths of their kernels
    groups            the chunks of the update; `late_groups` those of the sums, and with clipping the gradients, before it
    """

    program: ModelProgram
    predict: Stages
    evaluate: Stages | None
    train: Stages | None
    memory: MemoryMap
    maps: Maps
    groups: tuple[Group, ...]
    late_groups: tuple[Group, ...]
    batch: int
    block_rows: int
    why_block_rows: str
    room: int
    scratch: int
    clip: str | None
    ahead: Mapping[str, Ahead]

    @property
    def functions(self) -> list[Stages]:
        return [made for made in (self.predict, self.evaluate, self.train) if made is not None]

    @property
    def update_chunks(self) -> int:
        return sum(group.chunks for group in self.groups)

    @property
    def late_chunks(self) -> int:
        return sum(group.chunks for group in self.late_groups)

    @property
    def weight_steps(self) -> list[WeightStep]:
        return [step for group in self.groups for step in group.steps if isinstance(step, WeightStep)]

    @property
    def pieces(self) -> int:
        """Sums of squares that clipping by norm needs."""
        return sum(squares_of(step) for step in self.weight_steps) if self.clip else 0

    @property
    def rows(self) -> int:
        """Rows of a batch that there is room for."""
        by_batches = any(made.kept or made.partial for made in (self.predict, self.evaluate) if made is not None)
        return max(self.batch, BATCH_OF_EVALUATION if by_batches else 0)

    @property
    def kept(self) -> int:
        return max(made.kept for made in self.functions)

    @property
    def partial(self) -> int:
        return max(made.partial for made in self.functions)

    @property
    def sums(self) -> int:
        return max(made.sums for made in self.functions)

    @property
    def numbers(self) -> int:
        return max(made.numbers for made in self.functions)


def squares_of(step: WeightStep) -> int:
    """How many sums of squares a gradient has: one where its values are added in one go."""
    return 1 if step.values else step.pieces


def in_batches(made: Stages) -> bool:
    """Whether `evaluate` and `predict` must take a certain number of rows as one batch."""
    drawn = any(part.streams for part in made.rows)  # element by element of a batch
    return len(made.rows) > 1 or not made.linear or bool(made.partial) or drawn


def plan_model(
    program: ModelProgram, graphs: Any, taken: Iterable[str], prefix: str = "", without: Collection[str] = ()
) -> ModelPlan:
    """`taken` are module-level names that must not be given again; `graphs` has `predict`, `evaluate` and `train`; `without`
    names what of `OPTIONAL` is left out."""
    names = Names(taken)
    capital = prefix.upper()
    constants = {record.name: names(f"{capital}{_constant(record.name)}") for record in program.weights}
    training = None if graphs.train is None else without_turned_sums(graphs.train)
    in_panels = _in_panels([g for g in (graphs.predict, graphs.evaluate, training) if g is not None])
    panels: dict[str, str] = {}
    transposed: dict[str, str] = {}
    vectors: dict[tuple[float, ...], str] = {}
    maps = Maps(lambda wanted: names.fresh(f"{prefix}{wanted}"))

    def vector(values: tuple[float, ...]) -> str:
        return vectors.setdefault(values, names.fresh(f"{capital}CONSTANTS_{len(vectors)}"))

    outside = Outside(
        weight=constants.__getitem__,
        in_panels=in_panels.__contains__,
        panels=lambda path: panels.setdefault(path, f"{constants[path]}_PANELS"),
        transposed=lambda path: transposed.setdefault(path, f"{constants[path]}_TRANSPOSED"),
        constant=vector,
        maps=maps,
        taken=frozenset(taken),
        names=names,
    )
    addresses = {
        name: f"memory_at(job[DATA + {len(program.inputs) + n}])" for n, (name, _) in enumerate(program.outputs)
    }
    predict = lower_rows(graphs.predict, outside, addresses)
    evaluate = train = None
    slots: tuple[str, ...] = ()
    clip: str | None = None
    if program.training is not None and training is not None:
        from kdsl.training.optimizers import OPTIMIZERS

        evaluate = lower_rows(graphs.evaluate, outside, {})
        train = lower_rows(training, outside, {})
        flags = dict(program.training.optimizer.flags)
        slots = OPTIMIZERS[program.training.optimizer.name].slots(flags)
        clip = str(flags["clip"]) if flags.get("clip") in ("norm", "global_norm") else None
    functions = [f for f in (predict, evaluate, train) if f is not None]
    batch = program.training.batch if program.training is not None else 2 * BLOCK
    ahead: dict[str, Ahead] = {}
    if train is not None and training is not None and clip is None and "products_ahead" not in without:
        ahead = take_ahead(training, levels(training), train, in_panels.difference(transposed), batch)
    for made in functions:
        place_buffers(made, "reuse_buffers" not in without)
    memory = map_memory(
        [WeightNeeds(r.name, constants[r.name], r.shape, r.trainable, r.name in in_panels) for r in program.weights],
        [(name, values) for values, name in vectors.items()],
        panels,
        transposed,
        slots,
        max([b.layout.row for f in functions for b in f.buffers.values() if b.batched], default=0),
        max(made.fixed for made in functions),
        clip is not None,
    )
    groups: list[Group] = []
    late: list[Group] = []
    work = 0
    if train is not None and training is not None:
        steps = weight_steps(training, levels(training), memory.weights, train, ahead, batch)
        groups = grouped(steps)
        before = [step for step in steps if step.computes] if clip is not None else []
        late = grouped([*late_steps(train.late, batch), *before])
        work = max([step.numbers for step in steps if step.computes], default=0)
    row_scratch = max(f.scratch for f in functions)
    block_rows, why = _block_rows(graphs.train if train is not None else graphs.predict, batch, row_scratch)
    room = block_rows * row_scratch
    return ModelPlan(
        program=program,
        predict=predict,
        evaluate=evaluate,
        train=train,
        memory=memory,
        maps=maps,
        groups=tuple(groups),
        late_groups=tuple(late),
        batch=batch,
        block_rows=block_rows,
        why_block_rows=why,
        room=room,
        scratch=max(room + max(f.room for f in functions), 2 * work),
        clip=clip,
        ahead=ahead,
    )


def _in_panels(graphs: Iterable[Graph]) -> frozenset[str]:
    """Matrices of weights that nothing reads but products, and whose gradients are sums of products."""
    found: set[str] = set()
    other: set[str] = set()
    for graph in graphs:
        matrices, in_panels = {node.name for node in graph.of("weight")}, read_by_products(graph)
        found |= matrices & in_panels
        other |= matrices - in_panels
        known = levels(graph)
        for weight, terms in known.terms.items():
            if not known.direct.issuperset(terms):
                other.add(weight)
    return frozenset(found - other)


def _constant(path: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in path).upper()


def _block_rows(graph: Graph, batch: int, scratch: int) -> tuple[int, str]:
    """Enough rows to be worth a block, at most the batch. Weights are read once for every block: no less than 32 rows,
    unless the batch is so small that a second thread would have nothing to do, or the rows' scratch, so many numbers each,
    would not stay in a cache: then as many as share the batch out evenly. -> how many, and why."""
    flops = _row_flops(graph)
    worth = -(-WORTH // max(1, flops))
    least = 2 * BLOCK if batch >= 4 * BLOCK else BLOCK
    wanted, room = max(least, -(-min(worth, batch) // BLOCK) * BLOCK), max(1, CACHE // max(1, scratch))
    if room < wanted:
        return _evenly(
            max(room, (room + 1) // TILE * TILE), batch
        ), f"each row has {scratch:,} numbers of scratch, and {CACHE:,} stay in a cache"
    if wanted == least:
        return wanted, "weights are read once for every block, and a second thread wants blocks too"
    return wanted, f"a row is {flops:,} floating-point operations, and {WORTH:,} are worth a block"


def _evenly(most: int, batch: int) -> int:
    """Rows of a block, up to a quarter fewer than `most`, so that of two threads neither has much more of the batch to do."""

    def half(rows: int) -> int:
        blocks = -(-batch // rows)
        return rows * ((blocks + 1) // 2)

    return min(range(most, most - most // 4 - 1, -1), key=half)


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
