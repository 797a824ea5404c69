"""Whole networks against Keras, through generated modules of both targets: outputs, gradients, training.

Keras's weights go in; outputs, the gradient of the first batch, and the weights after one and after twenty steps (the
last of three rows) must come out, with the epoch's loss and metric.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from fixture_file import Case, read
from network_modules import build, class_name, model_text, targets, with_weights

CASES = {case.name: case for case in read("networks")}
RUNS = [(name, run) for name, case in CASES.items() for run in case.settings["optimizers"]]
FIRST = {name: next(iter(case.settings["optimizers"])) for name, case in CASES.items()}
BUILT = {
    "f64": [*((name, "gradient") for name in CASES), *RUNS],
    "f32": list(FIRST.items()),
}
TARGETS = ("numpy", "numba")

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`make(target, dtype, case, run)` -> a model with Keras's weights. All models of a target and dtype are one file:
    they share what is compiled."""
    folder = tmp_path_factory.mktemp("modules")

    @cache
    def module(target: str, dtype: str) -> Any:
        text = "\n".join(model_text(CASES[name], run) for name, run in BUILT[dtype])
        return build(text, folder, f"networks_{target}_{dtype}", target, dtype)

    def made(target: str, dtype: str, case: Case, run: str) -> Any:
        model = getattr(module(target, dtype), class_name(case.name, run))
        return with_weights(model(seed=0), case.numbered("w"))

    return made


def fitted(model: Any, case: Case, rows: int) -> np.ndarray:
    """One epoch over the first rows, in order -> loss and metric."""
    history = model.fit(case["x"][:rows], targets(case)[:rows], shuffle=False, verbose=0).history
    return np.array([values[-1] for values in history.values()])


def compare(model: Any, case: Case, run: str, steps: int, reported: np.ndarray, tolerance: float) -> None:
    for index, weight in enumerate(model.get_weights().values()):
        np.testing.assert_allclose(weight, case[f"{run}/step{steps}/w{index}"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(reported, case[f"{run}/step{steps}/history"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients(name: str, target: str, make: Make) -> None:
    case = CASES[name]
    model = make(target, "f64", case, "gradient")
    np.testing.assert_allclose(model.predict(case["x"]), case["output"], rtol=1e-10, atol=1e-12)
    batch = case.settings["batch"]
    loss = model.train_on_batch(case["x"][:batch], targets(case)[:batch])["loss"]
    assert loss == pytest.approx(float(case["loss"]), rel=1e-12)
    weights = list(model.get_weights().values())
    for before, after, gradient in zip(case.numbered("w"), weights, case.numbered("grad"), strict=True):
        np.testing.assert_allclose(before - after, gradient, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "run"), RUNS)
def test_training_in_double_precision(name: str, run: str, target: str, make: Make) -> None:
    case = CASES[name]
    batch = case.settings["batch"]
    for steps, rows in ((1, batch), (20, len(case["x"]))):
        model = make(target, "f64", case, run)
        compare(model, case, run, steps, fitted(model, case, rows), 1e-10)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_training_in_single_precision(name: str, target: str, make: Make) -> None:
    case = CASES[name]
    model = make(target, "f32", case, FIRST[name])
    np.testing.assert_allclose(model.predict(case["x"]), case["output"], rtol=1e-5, atol=1e-5)
    compare(model, case, FIRST[name], 20, fitted(model, case, len(case["x"])), 1e-5)
