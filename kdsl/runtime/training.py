"""The loop behind `fit`: epochs, steps in slices of about 50 ms, validation, callbacks, what Ctrl-C and NaN do."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kdsl.runtime.engine import Array, Arrays, Core
from kdsl.runtime.progress import Progress

if TYPE_CHECKING:
    from kdsl.runtime.model import Model

SLICE_SECONDS = 0.05
BLOCK = 256  # rows: what evaluate and predict cut data at, so that results never depend on how fast the machine is

Callback = Callable[[int, "dict[str, float]", "Model"], object]


class NonFiniteLoss(FloatingPointError):
    """The loss became NaN or infinite. The weights are those before the step that failed."""


class History:
    """`epoch`: numbers of the epochs trained, from 0. `history`: name -> one value for each of them."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        return f"History(epoch={self.epoch}, history={self.history})"


class Rows(NamedTuple):
    """Checked data."""

    inputs: Arrays
    targets: Arrays
    size: int


class Numbers(NamedTuple):
    """What holds in a call of `fit`: numbers of optimizer and schedule by name, the optimizer's `values` in their declared
    order, and the place of the learning rate in it. An epoch has `epoch` steps and the training `total`; 0 where that is
    not known, and then no schedule changes the rate."""

    named: Mapping[str, float]
    values: Array
    lr: int
    epoch: int
    total: int

    def of_steps(self, model: Model, first: int, count: int) -> Array:
        """A row for each step; `first` updates were made before them."""
        rows = np.tile(self.values, (count, 1))
        if self.epoch:
            steps = np.arange(first, first + count, dtype=np.float64)
            rows[:, self.lr] = model._rates(self.named, steps, self.epoch, self.total)
        return rows


class Pace:
    """How many units of work (steps, blocks of rows) one compiled call takes: about 50 ms, so that Ctrl-C is heard."""

    def __init__(self) -> None:
        self.units = 1

    def slices(self, total: int) -> Iterator[tuple[int, int]]:
        """(start, stop) pairs that cover `total` units; the caller works while it holds a pair."""
        start = 0
        while start < total:
            stop = min(start + self.units, total)
            began = time.perf_counter()
            yield start, stop
            seconds = max(time.perf_counter() - began, 1e-9)
            # never much longer than the last: the first call may have compiled something
            fitting = int((stop - start) * SLICE_SECONDS / seconds)
            self.units = min(max(fitting, 1), 8 * self.units)
            start = stop


@contextmanager
def unbroken() -> Iterator[None]:
    """Ctrl-C waits until the block is done, so that no step is left half applied; a second one does not wait.

    Only in the main thread, and only where nobody else handles the signal.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    pressed: list[int] = []

    def remember(number: int, frame: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if pressed:
            raise KeyboardInterrupt


def train_epoch(
    model: Model, rows: Rows, order: Array, batch_size: int, numbers: Numbers, progress: Progress | None, epoch: int
) -> dict[str, float]:
    """One pass over `order` -> loss and metrics: the batches' means weighted by their rows, taken while weights move.

    With a schedule also `lr`, that of the last step."""
    core, names = model._core, model._names
    shown: dict[str, float] = {}
    batch_size = min(batch_size, len(order))
    steps = -(-len(order) // batch_size)
    totals = np.zeros(len(names))
    for start, stop in model._step_pace.slices(steps):
        part = order[start * batch_size : stop * batch_size]
        with unbroken():
            hyper = numbers.of_steps(model, model._iterations, stop - start)
            sums, bad = core.train(rows.inputs, rows.targets, part, batch_size, model._iterations, model._seed, hyper)
            model._iterations += bad if bad >= 0 else stop - start
        if bad >= 0:
            rate = float(hyper[bad, numbers.lr])
            raise NonFiniteLoss(_advice(epoch, start + bad, steps, model._iterations, rate))
        totals += sums
        done = min(stop * batch_size, len(order))
        if model.declaration.trained.schedule:
            shown = {"lr": float(hyper[-1, numbers.lr])}
        if progress is not None:
            progress.update(stop, done, _means(names, totals, done, model._scalar) | shown)
    return _means(names, totals, len(order), model._scalar) | shown


def evaluate_rows(core: Core, rows: Rows, names: Sequence[str], pace: Pace, scalar: str) -> dict[str, float]:
    totals = np.zeros(len(names))
    for start, stop in _blocks(rows.size, pace):
        totals += core.evaluate(rows.inputs, rows.targets, start, stop)
    return _means(names, totals, rows.size, scalar)


def predict_rows(core: Core, inputs: Arrays, count: int, pace: Pace) -> list[Array]:
    if count <= BLOCK:  # a service asks for one row at a time: no detours
        return list(core.predict(inputs, 0, count))
    parts = [core.predict(inputs, start, stop) for start, stop in _blocks(count, pace)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def run_epochs(
    model: Model,
    rows: Rows,
    validation: Rows | None,
    epochs: range,
    batch_size: int,
    shuffle: bool,
    numbers: Numbers,
    progress: Progress,
    callbacks: Sequence[Callback],
    history: History,
) -> None:
    """Trains the epochs of the range; `history` grows as they end, so it is right when something stops them."""
    for epoch in epochs:
        order = shuffled(rows.size, model._seed, model._epochs) if shuffle else np.arange(rows.size)
        progress.begin(epoch, -(-rows.size // batch_size), rows.size)
        try:
            logs = train_epoch(model, rows, order, batch_size, numbers, progress, epoch)
            if validation is not None:
                held_out = evaluate_rows(model._core, validation, model._names, model._row_pace, model._scalar)
                logs |= {f"val_{name}": value for name, value in held_out.items()}
        except BaseException:
            progress.interrupted()
            raise
        model._epochs += 1
        model._watch(numbers.named, logs)
        progress.end(logs)
        history.append(epoch, logs)
        answers = [callback(epoch, dict(logs), model) for callback in callbacks]
        if any(answer is True for answer in answers):
            return


def shuffled(count: int, seed: int, epoch: int) -> Array:
    """The order of the rows in an epoch: from the seed and the epoch's number alone, so that resumed training agrees."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def split(rows: Rows, share: float) -> tuple[Rows, Rows]:
    """(training, validation): the last `share` of the rows is held out, before any shuffling."""
    cut = int(rows.size * (1 - share))
    if not 0 < cut < rows.size:
        raise ValueError(
            f"validation_split={share} leaves {cut} of {rows.size} rows for training and {rows.size - cut} for validation"
        )

    def part(piece: slice) -> Rows:
        inputs, targets = tuple(a[piece] for a in rows.inputs), tuple(a[piece] for a in rows.targets)
        return Rows(inputs, targets, len(range(*piece.indices(rows.size))))

    return part(slice(0, cut)), part(slice(cut, None))


def _blocks(count: int, pace: Pace) -> Iterator[tuple[int, int]]:
    for start, stop in pace.slices(-(-count // BLOCK)):
        yield start * BLOCK, min(stop * BLOCK, count)


def _means(names: Sequence[str], totals: Array, count: int, scalar: str) -> dict[str, float]:
    # rounded to the module's precision: beyond it, sums depend on where the slices were cut
    return {name: float(np.dtype(scalar).type(total / count)) for name, total in zip(names, totals, strict=True)}


def _advice(epoch: int, step: int, steps: int, iterations: int, rate: float) -> str:
    return (
        f"the loss is not finite in epoch {epoch + 1}, step {step + 1} of {steps} (after {iterations} updates). The weights are those before "
        f"this step. Try a smaller learning rate (now lr={rate:g}), clip_norm=1.0 in the optimizer, or inputs scaled to about -1..1."
    )
