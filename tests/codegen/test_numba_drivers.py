"""Drivers: what is assembled from their text is what numba makes of it."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba_models import module, results, text

from kdsl.compiler import compile_file, import_compiled
from kdsl.runtime.numba_statements import set_once

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
    for kernel in made.KERNELS.values():
        if kernel.inside:
            kernel.held = kernel.start = None
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
    monkeypatch.delattr(made.Body, "write_While")
    found = results(made)
    kinds = {driver.name: type(driver.held).__name__ for driver in drivers(made) if driver.held is not None}
    assert kinds["train"] == "CFunc" and kinds["forward_backward"] != "CFunc"
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-12, err_msg=name)


ONCE = """
def f(given, counted):
    at = given + 1
    counted += at
    at_both = 0
    early = late + 1
    late = 2
    for place in range(at):
        inside = place
        kept = inside
        again = later
        later = 1
        if inside:
            at_both = 1
            hidden = inside
        given_on(inside, hidden)
    while turns < at:
        turns = 1
    return kept
"""


def test_names_that_need_no_memory() -> None:
    (tree,) = ast.parse(ONCE).body
    assert isinstance(tree, ast.FunctionDef)
    # Not what is set twice, before a loop's next turn, in another branch, or read behind its loop.
    assert set_once(tree) == {"given", "at", "early", "inside", "again"}


def test_a_short_kernel_is_taken_in_with_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = fresh(CLIPPED, "f32")
    short = {name for name, kernel in made.KERNELS.items() if kernel.inside and not isinstance(kernel, made.Driver)}
    assert {"copy_numbers", "frame"} & short and any(name.startswith("map_") for name in short)
    found = results(made)
    assert all(made.KERNELS[name].start is None for name in short)
    apart = fresh(CLIPPED, "f32")
    monkeypatch.setattr(apart.DriverCache, "load_overload", lambda self, signature, context: None)
    monkeypatch.setattr(apart.DriverCache, "save_overload", lambda self, signature, data: None)
    for name in short:
        monkeypatch.setattr(apart.KERNELS[name], "inside", False)
    wanted = results(apart)
    assert any(apart.KERNELS[name].start is not None for name in short)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_large_network_is_few_pieces_of_machine_code() -> None:
    """What is compiled before the first step: each piece by numba takes a tenth of a second or more."""
    compiled = compile_file(Path(__file__).parents[2] / "models" / "resnet20.kmodel")
    assert compiled.text is not None
    made = import_compiled(compiled)
    needed, pending = set[str](), [made.KERNELS["train"], made.KERNELS["prepare_train"]]
    while pending:
        for other in pending.pop().needed():
            if other.name not in needed:
                needed.add(other.name)
                pending.append(other)
    assert len(needed) <= 21
    assert not any(name.startswith(("map_", "sum_of", "mean_of", "copy")) for name in needed)
