"""The convolutional models of `models/`, small, trained for a few steps by the numba target: the loss goes down, all weights
move, two threads give the bits of one, and memory is what `summary` announces."""

from __future__ import annotations

import tracemalloc
from argparse import Namespace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from kdsl.cli.summary import Measured
from kdsl.compiler import compile_file, import_compiled

FOLDER = Path(__file__).parents[2] / "models"
STEPS = 6
GUARD = 12345.0


class Small(NamedTuple):
    """Settings that make a model small, and the rows of a batch: several blocks, which threads take as they come."""

    batch: int
    settings: dict[str, str] = {}


MODELS = {
    "mnist_cnn": Small(20),
    "cifar_cnn": Small(12),
    "resnet20": Small(24, {"depth": "1"}),
    "vgg_small": Small(20, {"width": "16"}),
    "mobilenet_small": Small(30, {"alpha": "0.25"}),
    "unet_small": Small(4, {"width": "8"}),
    "autoencoder": Small(20, {"width": "16"}),
}


@cache
def compiled(name: str) -> Any:
    return compile_file(FOLDER / f"{name}.kmodel", settings=MODELS[name].settings)


def data_of(made: ModuleType, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise, brighter in a stripe for each class; or pictures to be told from noise, and a class for each place."""
    rng = np.random.default_rng(7)
    (source,), (target,) = made.DECLARATION.inputs, made.DECLARATION.targets
    height, width, channels = source.shape
    if target.dtype == "f32":
        clean = np.zeros((rows, height, width, channels), np.float32)
        for row, (i, j) in enumerate(rng.integers(0, height - 9, (rows, 2))):
            clean[row, i : i + 9, j : j + 9] = 1.0
        return np.clip(clean + rng.normal(0, 0.3, clean.shape), 0, 1).astype(np.float32), clean
    noise = rng.integers(0, 100, (rows, height, width, channels))
    if target.shape:
        mask = np.repeat(np.repeat(rng.integers(0, target.classes, (rows, 8, 8)), height // 8, 1), width // 8, 2)
        return (noise + 70 * mask[..., None]).astype(np.uint8), mask.astype(np.int32)
    label = (np.arange(rows) % target.classes).astype(np.int32)
    stripes = np.arange(width) * target.classes // width == label[:, None]
    return (noise + 150 * stripes[:, None, :, None]).astype(np.uint8), label


def trained(made: ModuleType, threads: int, batch: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The model after a few steps on one batch, and its first weights."""
    model = getattr(made, made.DECLARATION.name)(seed=2, threads=threads)
    before = model.get_weights()
    model.fit(*data_of(made, batch), batch_size=batch, epochs=STEPS, validation_split=0.0, shuffle=False, verbose=0)
    return model, before


@pytest.mark.parametrize("name", MODELS)
def test_a_few_steps_on_one_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, made = MODELS[name].batch, import_compiled(compiled(name))
    assert batch > 2 * made.BLOCK_ROWS
    model, before = trained(made, 1, batch)
    losses = model.history.history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0], losses
    for key, value in model.get_weights().items():
        assert np.isfinite(value).all() and not np.array_equal(value, before[key]), key

    guards: list[np.ndarray] = []

    def aligned(count: int) -> np.ndarray:
        guarded = np.full(count + 256, GUARD, np.float32)
        start = 64 + -(guarded.ctypes.data // 4) % 16
        guards.extend((guarded[:start], guarded[start + count :]))
        guarded[start : start + count] = 0.0
        return guarded[start : start + count]

    monkeypatch.setattr(made, "aligned", aligned)
    other, _ = trained(made, 2, batch)
    assert other.history.history == model.history.history
    for key, value in model.get_weights().items():
        assert np.array_equal(value, other.get_weights()[key]), key
    assert guards and all((guard == GUARD).all() for guard in guards), "nothing is written outside of the array"


@pytest.mark.parametrize("name", MODELS)
def test_memory_announced_is_memory_used(name: str) -> None:
    """What an engine allocates and still holds after a step is what `summary` announces, to the byte: NumPy's arrays, and
    the words with which its functions are called."""
    found = compiled(name)
    made, (program,) = import_compiled(found), found.programs
    announced = Measured(program, Namespace(target="numba", dtype="f32", batch=None), frozenset()).nbytes
    inputs, targets = ((array,) for array in data_of(made, MODELS[name].batch))
    order = np.arange(MODELS[name].batch)
    hyper = np.array([list(made.DECLARATION.training.numbers.values())])
    weights = made.initial_weights(0)
    made.Engine()  # compiles what is not compiled yet
    tracemalloc.start()
    try:
        core = made.Engine()
        for weight, value in weights.items():
            core.set_weight(weight, value)
        core.train(inputs, targets, order, len(order), 0, 0, hyper)
        traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)])
    finally:
        tracemalloc.stop()
    assert core.nbytes == announced
    assert sum(trace.size for trace in traces.traces) + 8 * len(core.job) == announced
