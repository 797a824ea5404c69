"""Drivers: what is assembled from their text is what numba makes of it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba_models import module, results, text

CLIPPED = text(
    "-> rescale(1 / 255) -> flatten -> dense(20) -> batch_norm -> relu -> dropout(0.3) -> dense(5)",
    metrics="accuracy(h, t)",
    input="u8[5, 7]",
    optimizer="adam(lr = 0.01, global_clip_norm = 0.5)",
)
STEP = text("-> dense(6) -> tanh -> dense(5)", optimizer="sgd(lr = 0.1, momentum = 0.9, clip_value = 0.5)")


def drivers(made: ModuleType) -> list[Any]:
    return [kernel for kernel in made.KERNELS.values() if isinstance(kernel, made.Driver)]


def fresh(source: str, dtype: str) -> ModuleType:
    """The module as it is before its first call: `module` gives the same one to every test."""
    made = module(source, dtype=dtype)
    for driver in drivers(made):
        driver.held = driver.start = None
    return made


def by_numba(source: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    made = fresh(source, dtype)
    monkeypatch.setattr(made.Driver, "loaded_or_assembled", lambda self, cache: None)
    found = results(made)
    assert {type(driver.held).__name__ for driver in drivers(made)} == {"CFunc"}
    return found


@pytest.mark.parametrize("source, dtype", [(CLIPPED, "f32"), (CLIPPED, "f64"), (STEP, "f32")])
def test_as_numba_compiles_them(source: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fresh(source, dtype)
    found = results(made)
    entries = {driver.name for driver in drivers(made) if driver.held is not None}
    assert entries >= {"predict", "evaluate", "train"}
    assert "update" not in entries  # it is part of `train`
    assert all(type(driver.held).__name__ != "CFunc" for driver in drivers(made) if driver.held is not None)
    wanted = by_numba(source, dtype, monkeypatch)
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13 if dtype == "f64" else 1e-6, atol=1e-12, err_msg=name)


def test_a_text_that_is_not_understood_is_left_to_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = results(module(STEP))
    made = fresh(STEP, "f64")
    monkeypatch.setattr(made.DriverCache, "load_overload", lambda self, signature, context: None)
    monkeypatch.delattr(made.Body, "write_For")
    found = results(made)
    kinds = {driver.name: type(driver.held).__name__ for driver in drivers(made) if driver.held is not None}
    assert kinds["train"] == "CFunc" and kinds["forward_backward"] != "CFunc"
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-12, err_msg=name)
