"""How many bytes a compiled model holds, worked out from its plan: what its engine announces, without making one."""

from __future__ import annotations

from math import prod
from typing import Literal

from kdsl.elaborate.program import ModelProgram
from kdsl.plan.layout import PANEL
from kdsl.plan.model import ModelPlan


def numba_bytes(plan: ModelPlan, dtype: Literal["f32", "f64"], threads: int | None = None) -> int:
    """Of the numba target. `threads` is None for as many as there are processors, each of which has scratch."""
    from kdsl.runtime.numba_engine import CHUNKS_AT_ONCE, DATA
    from kdsl.runtime.numba_team import TEAM_WORDS, usable_threads

    program, train = plan.program, plan.train
    used = usable_threads(CHUNKS_AT_ONCE, threads)
    itemsize = 8 if dtype == "f64" else 4
    blocks = -(-plan.rows // plan.block_rows)
    of_batch = plan.rows * plan.kept + blocks * plan.partial
    numbers = plan.memory.fixed + used * plan.scratch + of_batch + PANEL + 64 // itemsize
    results = len(train.results) if train is not None else 0
    ports = len(program.inputs) + len(program.outputs) + (len(program.targets) if train is not None else 0)
    words = max(CHUNKS_AT_ONCE, blocks) * plan.sums + plan.pieces + 1 + max(1, results) + max(1, plan.numbers)
    return numbers * itemsize + 8 * (words + TEAM_WORDS + DATA + ports + 1)


def numpy_bytes(program: ModelProgram, dtype: Literal["f32", "f64"]) -> int:
    """Of the NumPy target: weights, and the optimizer's states of those that are trained."""
    states = 0
    if program.training is not None:
        from kdsl.training.optimizers import OPTIMIZERS

        optimizer = program.training.optimizer
        states = len(OPTIMIZERS[optimizer.name].slots(dict(optimizer.flags)))
    numbers = sum(prod(weight.shape) * (1 + states * weight.trainable) for weight in program.weights)
    return numbers * (8 if dtype == "f64" else 4)
