"""Small models for the tests of the numba target, their data, and one training of both targets beside each other."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from kdsl.compiler import load
from kdsl.source import Source

ROWS = 19


def text(
    flow: str,
    *,
    input: str = "f32[7]",
    target: str = "index(5)",
    loss: str = "cross_entropy(h, t)",
    metrics: str = "accuracy(h, t)",
    optimizer: str = "sgd(lr = 0.1)",
    batch: int = 8,
    output: str = "output y = h",
) -> str:
    return f"""\
model M {{
  input x: {input}
  target t: {target}
  h = x {flow}
  {output}
}}
train M {{
  loss      = {loss}
  metrics   = [{metrics}]
  optimizer = {optimizer}
  batch     = {batch}
}}
"""


def module(source: str, target: str = "numba", dtype: str = "f64", **options: Any) -> ModuleType:
    return load(Source("m.kmodel", source), target=target, dtype=dtype, **options)


def engine(made: ModuleType, threads: int | None = None) -> Any:
    return (made.make_engine if hasattr(made, "make_engine") else made.Engine)(threads)


def data(made: ModuleType, rows: int = ROWS) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Random inputs and targets of the declared types."""
    rng = np.random.default_rng(1)

    def draw(port: Any) -> np.ndarray:
        shape = (rows, *port.shape)
        if port.dtype == "u8":
            return rng.integers(0, 256, shape).astype(np.uint8)
        if port.dtype == "bool":
            return rng.integers(0, 2, shape).astype(np.uint8)
        if port.dtype == "f32":
            return rng.normal(0, 1, shape).astype(made.DECLARATION.scalar)
        return rng.integers(0, port.classes or 5, shape).astype(np.int32)

    ports = made.DECLARATION
    return tuple(map(draw, ports.inputs)), tuple(map(draw, ports.targets))


def weights(made: ModuleType) -> dict[str, np.ndarray]:
    """First weights, biases included."""
    rng = np.random.default_rng(2)
    scalar = made.DECLARATION.scalar
    drawn = {name: np.asarray(value, scalar) for name, value in made.initial_weights(3).items()}
    found = {n: v if v.ndim > 1 else rng.normal(0, 0.1, v.shape).astype(scalar) for n, v in drawn.items()}
    return {n: np.abs(v) + 0.5 if n.endswith("variance") else v for n, v in found.items()}


def poison(core: Any) -> None:
    """Everything a step must write before it reads it becomes NaN."""
    core.mem[core.layout.fixed :] = np.nan


def results(made: ModuleType, batch: int = 8, threads: int | None = None, calls: int = 2) -> dict[str, np.ndarray]:
    """All that comes out of a model: predictions, totals, weights and optimizer states after two calls of train."""
    core, (inputs, targets) = engine(made, threads), data(made)
    for name, value in weights(made).items():
        core.set_weight(name, value)
    rows = len(inputs[0])
    order = np.arange(rows)[::-1].copy()
    hyper = np.tile(list(made.DECLARATION.training.numbers.values()), (rows, 1))
    found: dict[str, np.ndarray] = {}
    for start, stop in ((0, rows), (3, 4)):
        if hasattr(core, "mem"):
            poison(core)
        for index, output in enumerate(core.predict(inputs, start, stop)):
            found[f"output {index} of rows {start} to {stop}"] = output
    found["evaluate"] = core.evaluate(inputs, targets, 2, rows)
    for call in range(calls):
        if hasattr(core, "mem"):
            poison(core)
        totals, bad = core.train(inputs, targets, order, batch, 20 * call, 7, hyper)
        found[f"totals {call}"] = totals
        assert bad == -1
    for weight in made.DECLARATION.weights:
        found[weight.name] = core.get_weight(weight.name)
        for slot in made.DECLARATION.training.slots if weight.trainable else ():
            found[f"{slot} of {weight.name}"] = core.get_slot(slot, weight.name)
    return found


def assert_equal(wanted: dict[str, np.ndarray], found: dict[str, np.ndarray], tolerance: float) -> None:
    """Every result within `tolerance` of the largest number of its array."""
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        scale = max(float(np.max(np.abs(value), initial=0.0)), 1e-2)
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * scale, err_msg=name)
