"""Optimizers and initialisers against Keras, by their NumPy functions in float64."""

from __future__ import annotations

import numpy as np
import pytest
from fixture_file import Case, read
from graphs import with_defaults

from kdsl.training import initializers, optimizers

EXACT = {"rtol": 1e-12, "atol": 1e-14}


def named(case: Case) -> str:
    return case.name


def test_every_optimizer_and_initializer_of_keras_is_compared() -> None:
    assert {case.settings["optimizer"] for case in read("optimizers")} == set(optimizers.OPTIMIZERS)
    compared = {case.settings["initializer"] for case in read("initializers")}
    assert compared | {"variance_scaling"} == set(initializers.INITIALIZERS)


@pytest.mark.parametrize("case", read("optimizers"), ids=named)
def test_optimizer(case: Case) -> None:
    declared = optimizers.OPTIMIZERS[case.settings["optimizer"]]
    arguments = with_defaults(declared, case.settings["arguments"])
    declared.guard(arguments)
    flags, numbers = dict(declared.flags(arguments)), dict(declared.numbers(arguments))
    weights = {f"w{i}": w for i, w in enumerate(case.numbered("w"))}
    gradients = case.numbered("gradient")
    slots = {slot: {name: np.zeros_like(w) for name, w in weights.items()} for slot in declared.slots(flags)}
    for step in range(20):
        given = {f"w{i}": g[step] for i, g in enumerate(gradients)}
        weights, slots = optimizers.apply(declared.name, numbers, flags, step, weights, given, slots)
        if step + 1 in (1, 20):
            for name, weight in weights.items():
                np.testing.assert_allclose(weight, case[f"step{step + 1}/{name}"], **EXACT)


def drawn(case: Case) -> np.ndarray:
    value = (case.settings["initializer"], tuple(case.settings["arguments"].items()))
    return initializers.draw(value, tuple(case["shape"]), np.random.default_rng(12))


@pytest.mark.parametrize("case", read("initializers"), ids=named)
def test_initializer_draws_from_the_distribution_of_keras(case: Case) -> None:
    """60,000 draws against 60,000 of Keras's: mean, deviation and quantiles agree within what chance allows."""
    array = drawn(case)
    assert array.shape == tuple(case["shape"])
    deviation = float(case["deviation"])
    if deviation == 0.0:
        np.testing.assert_array_equal(array, np.full(array.shape, case["mean"]))
        return
    # five standard errors of a difference of two means; a deviation is known to about half a percent
    assert abs(array.mean() - case["mean"]) < 5 * deviation * np.sqrt(2 / array.size)
    assert array.std() == pytest.approx(deviation, rel=0.015)
    p = case["probabilities"]
    central = (p >= 0.05) & (p <= 0.95)
    ours = np.quantile(array, p)
    np.testing.assert_allclose(ours[central], case["quantiles"][central], atol=0.03 * deviation)
    np.testing.assert_allclose(ours, case["quantiles"], atol=0.15 * deviation)


@pytest.mark.parametrize("case", read("initializers"), ids=named)
def test_bounded_initializer_keeps_the_bounds_of_keras(case: Case) -> None:
    name, array = case.settings["initializer"], drawn(case)
    if not (name.endswith("uniform") or name in BOUNDED_NORMALS):
        return
    low, high = case["range"]
    width = high - low
    # 60,000 draws of a bounded distribution come this near to both ends, and never go past the true bound
    assert low - 0.002 * width < array.min() < low + 0.002 * width
    assert high - 0.002 * width < array.max() < high + 0.002 * width


BOUNDED_NORMALS = ("truncated_normal", "glorot_normal", "he_normal", "lecun_normal")


@pytest.mark.parametrize("case", [c for c in read("initializers") if "singular_values" in c.arrays], ids=named)
def test_orthogonal_has_the_singular_values_of_keras(case: Case) -> None:
    found = np.linalg.svd(drawn(case), compute_uv=False)
    np.testing.assert_allclose(found, case["singular_values"], rtol=1e-12)
