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
from network_modules import GRADIENT, build, model_text, targets, with_weights

CASES = {case.name: case for case in read("networks")}
RUNS = [(name, optimizer) for name, case in CASES.items() for optimizer in case.settings["optimizers"]]
TARGETS = ("numpy",)

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`make(target, dtype, case, optimizer)` -> a model with Keras's weights; a module is compiled once."""
    folder = tmp_path_factory.mktemp("modules")

    @cache
    def module(target: str, dtype: str, name: str, optimizer: str) -> Any:
        settings = GRADIENT if optimizer == "gradient" else CASES[name].settings["optimizers"][optimizer]
        text = model_text(CASES[name], settings)
        return build(text, folder, f"{name}_{optimizer}_{target}_{dtype}", target, dtype)

    def made(target: str, dtype: str, case: Case, optimizer: str) -> Any:
        return with_weights(module(target, dtype, case.name, optimizer).Net(seed=0), case.numbered("w"))

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
    run = next(iter(case.settings["optimizers"]))
    model = make(target, "f32", case, run)
    np.testing.assert_allclose(model.predict(case["x"]), case["output"], rtol=1e-5, atol=1e-5)
    compare(model, case, run, 20, fitted(model, case, len(case["x"])), 1e-5)
