"""Compiles a model with clocks in it, runs it, and reads them."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np

from kdsl.codegen.clocks import Clocks
from kdsl.codegen.module import module_text
from kdsl.codegen.numba import numba_sections
from kdsl.codegen.sections import Options
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Graph
from kdsl.source import Source
from kdsl.timing.result import Machine, Timing
from kdsl.timing.work import Work

Kind = Literal["train", "predict"]
SECONDS = 1.5  # of measuring, unless a number of steps is asked for
ROUNDS = 5  # the fastest is shown: the others shared the machine with something else
BUSY = 0.02  # seconds of one measurement of the peak
COPIED = 8_000_000  # numbers: more than a processor's caches hold


class CannotTime(Exception):
    """Why there are no times; one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to time. `steps` None: as many as take a good second; `without`: names of passes to leave out."""

    kind: Kind
    rows: int
    threads: int | None = None
    steps: int | None = None
    dtype: Literal["f32", "f64"] = "f32"
    without: frozenset[str] = frozenset()


def measure(source: Source, program: ModelProgram, wanted: Wanted, data: Any = None) -> Timing:
    """Compiles and runs. `data` is (inputs, targets) as `fit` takes them; None for random numbers."""
    from kdsl.passes.pipeline import make_graphs
    from kdsl.plan import OPTIONAL as PLANNING

    clocks = Clocks(wanted.kind)
    graphs = make_graphs(program, wanted.without.difference(PLANNING))
    options = Options(wanted.dtype, without=wanted.without, clocks=clocks)
    module = _imported(source, module_text(source, [(program, graphs)], numba_sections, options))
    model_class = next(v for v in vars(module).values() if isinstance(v, type) and hasattr(v, "declaration"))
    model = model_class(seed=0, threads=wanted.threads)
    inputs, targets = random_data(program, wanted.rows) if data is None else data
    run = Run(module, model, clocks, _step_of(model, inputs, targets, wanted))
    threads = model._core.team.threads
    before = machine_of(module, threads)
    steps, step, seconds, counts = run.fastest(wanted.steps)
    after = machine_of(module, threads)
    machine = Machine(*(max(pair) for pair in zip(_numbers(before), _numbers(after), strict=True)))
    graph: Graph = getattr(graphs, wanted.kind)
    work = Work(program, graph, wanted.rows, 8 if wanted.dtype == "f64" else 4)
    return Timing(
        model=program.name,
        source=model.declaration.source,
        kind=wanted.kind,
        dtype=wanted.dtype,
        rows=wanted.rows,
        threads=threads,
        steps=steps,
        step=step,
        memory=model._core.nbytes,
        machine=machine,
        calls=work.calls(clocks, seconds, counts),
    )


def _numbers(machine: Machine) -> tuple[float, float, float]:
    return machine.one, machine.each, machine.copied


def _imported(source: Source, text: str) -> ModuleType:
    from kdsl.compiler import Compiled, import_compiled

    return import_compiled(Compiled(source, (), text=text))


def random_data(program: ModelProgram, rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A batch of what the ports declare."""
    rng = np.random.default_rng(0)

    def drawn(port: Any) -> Any:
        shape = (rows, *port.type.shape)
        if port.type.dtype == "f32":
            return rng.random(shape)
        return rng.integers(0, port.type.classes or {"u8": 256, "bool": 2}.get(port.type.dtype, 8), shape)

    inputs, targets = program.inputs, program.targets
    return {port.name: drawn(port) for port in inputs}, {port.name: drawn(port) for port in targets}


def _step_of(model: Any, inputs: Any, targets: Any, wanted: Wanted) -> Callable[[int], None]:
    """A function that makes so many steps, with as little around them as can be. The learning rate is zero: the weights
    stay what they are, so the loss stays finite."""
    core, size = model._core, wanted.rows
    if wanted.kind == "predict":
        arrays = model_arrays(model, inputs)

        def predict(steps: int) -> None:
            for _ in range(steps):
                core.predict(arrays, 0, size)

        return predict
    rows = model._rows(inputs, targets, "the input", "the target")
    values = model._settings({}).values
    values[list(model.declaration.trained.numbers).index("lr")] = 0.0

    def train(steps: int) -> None:
        order = np.arange(steps * size, dtype=np.int64) % rows.size
        hyper = np.tile(values, (steps, 1))
        _, bad = core.train(rows.inputs, rows.targets, order, size, 0, 0, hyper)
        if bad >= 0:
            raise CannotTime("the loss is not finite; give data that suits the model with --data")

    return train


def model_arrays(model: Any, inputs: Any) -> Any:
    """The inputs as the engine takes them."""
    module = sys.modules[type(model).__module__]
    return module.arrays_for(model.declaration.inputs, inputs, "x", "inputs", model._scalar)


class Run:
    """A model whose clocks run."""

    def __init__(self, module: Any, model: Any, clocks: Clocks, step: Callable[[int], None]) -> None:
        self.module, self.clocks, self.step = module, clocks, step
        core = model._core
        self.lines = np.zeros((core.team.threads, clocks.words), np.int64)
        core.job[module.DATA + clocks.port] = self.lines.ctypes.data
        self.tell = module.entry(module.tell_time)
        self.word = ctypes.c_int64()

    def ticks(self) -> int:
        self.tell(ctypes.addressof(self.word), 0)
        return self.word.value

    def fastest(self, steps: int | None) -> tuple[int, float, list[float], list[float]]:
        """(steps of a round, seconds of one, seconds and number of each call in one) of the fastest round."""
        self.step(1)  # compiles
        each = min(self._seconds(1) for _ in range(2))
        count = max(1, steps // ROUNDS) if steps else max(1, min(1000, int(SECONDS / ROUNDS / max(each, 1e-9))))
        rounds = [self._round(count) for _ in range(ROUNDS if steps is None or steps >= ROUNDS else steps)]
        return (count, *min(rounds, key=lambda found: found[0]))

    def _seconds(self, steps: int) -> float:
        start = time.perf_counter()
        self.step(steps)
        return time.perf_counter() - start

    def _round(self, steps: int) -> tuple[float, list[float], list[float]]:
        self.lines[:] = 0
        first = self.ticks()
        whole = self._seconds(steps)
        passed = self.ticks() - first
        if passed <= 0:
            raise CannotTime("this processor has no counter that programs can read")
        both = self.lines[:, : 2 * len(self.clocks.calls)].sum(axis=0)
        tick = whole / passed / steps
        return whole / steps, [float(n) * tick for n in both[0::2]], [float(n) / steps for n in both[1::2]]


# ---- what the machine could do -------------------------------------------------------------------------------------------


def machine_of(module: Any, threads: int) -> Machine:
    """The best of several attempts at each."""
    run, work = module.entry(module.busiest), module.WORK_OF_TURN
    turns = 10_000
    for _ in range(3):
        turns = max(1000, int(turns * BUSY / max(_busy(run, turns, 1), 1e-6)))
    one = max(work * turns / _busy(run, turns, 1) for _ in range(5))
    each = one if threads == 1 else max(work * turns / _busy(run, turns, threads) for _ in range(5))
    source, target = np.ones(COPIED, np.float32), np.zeros(COPIED, np.float32)
    return Machine(one, each, max(_copied(source, target) for _ in range(3)))


def _busy(run: Any, turns: int, threads: int) -> float:
    """Seconds until all of them have made their turns."""
    sums = np.zeros(64 * threads)
    job = (ctypes.c_int64 * 2)(sums.ctypes.data, turns)
    others = [threading.Thread(target=run, args=(ctypes.addressof(job), me)) for me in range(1, threads)]
    start = time.perf_counter()
    for other in others:
        other.start()
    run(ctypes.addressof(job), 0)
    for other in others:
        other.join()
    return time.perf_counter() - start


def _copied(source: Any, target: Any) -> float:
    start = time.perf_counter()
    np.copyto(target, source)
    return 2.0 * float(source.nbytes) / (time.perf_counter() - start)
