"""Optimizers: numbers and flags handed on, rules as their textbooks say, clipping, decay, texts that can be carried."""

from __future__ import annotations

import ast
import inspect
import itertools
from typing import Any

import numpy as np
import pytest
from small_graphs import settled

from kdsl.ops import vocabulary
from kdsl.ops.registry import Refused
from kdsl.training import OPTIMIZERS
from kdsl.training.optimizers import apply, clipped
from kdsl.training.rule import Rule


def made(name: str, **given: Any) -> tuple[dict[str, float], dict[str, Any]]:
    cls = OPTIMIZERS[name]
    arguments = settled(cls, given)
    cls.guard(arguments)
    return dict(cls.numbers(arguments)), dict(cls.flags(arguments))


DEFAULTS = {
    "sgd": {"lr": 0.01},
    "rmsprop": {"lr": 0.001, "rho": 0.9, "epsilon": 1e-7},
    "adam": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    "adamw": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "weight_decay": 0.004},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_those_of_keras(name: str) -> None:
    numbers, flags = made(name)
    assert numbers == DEFAULTS[name] and next(iter(numbers)) == "lr"
    assert flags == ({"weight_decay": True} if name == "adamw" else {})


def test_flags_and_the_numbers_they_need() -> None:
    assert made("sgd", momentum=0.9, nesterov=True, clip_norm=1.0) == (
        {"lr": 0.01, "momentum": 0.9, "clip_norm": 1.0},
        {"clip": "norm", "momentum": True, "nesterov": True},
    )
    assert made("sgd", nesterov=True) == ({"lr": 0.01}, {})
    assert made("adam", global_clip_norm=2, weight_decay=0.0)[1] == {"clip": "global_norm", "weight_decay": True}
    assert made("rmsprop", clip_value=0.5, centered=True)[1] == {"clip": "value", "centered": True}


def test_one_way_of_clipping() -> None:
    with pytest.raises(Refused, match="in one way only, not by `clip_norm` and `clip_value`") as caught:
        made("adam", clip_norm=1.0, clip_value=0.5)
    assert (caught.value.code, caught.value.argument) == ("E514", "clip_value")


def every_rule() -> list[Rule]:
    rules: dict[int, Rule] = {}
    for cls in OPTIMIZERS.values():
        switches = ("momentum", "nesterov", "centered", "amsgrad")
        for chosen in itertools.product((False, True), repeat=len(switches)):
            rule = cls.rule(dict(zip(switches, chosen, strict=True)))
            rules[id(rule)] = rule
    return list(rules.values())


def test_there_are_nine_rules() -> None:
    assert len(every_rule()) == 9


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.update.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rule_is_pure_and_keeps_the_dtype(rule: Rule, dtype: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [np.abs(rng.normal(size=7)).astype(dtype) for _ in range(2 + len(rule.slots))]
    before = [array.copy() for array in arrays]
    numbers = {"lr": 0.1, "momentum": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.99, "epsilon": 2.0}
    result = rule.update(*arrays, *rule.at(3, numbers))
    assert len(result) == 1 + len(rule.slots)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)
    assert all(array.dtype == dtype and np.isfinite(array).all() for array in result)
    assert not np.array_equal(result[0], arrays[0])


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.update.__name__)
def test_the_text_is_straight_line_in_the_vocabulary(rule: Rule) -> None:
    """It is pasted into modules: assignments, then one return; parameters in the order the rule promises."""
    (function,) = ast.parse(inspect.getsource(rule.update)).body
    assert isinstance(function, ast.FunctionDef)
    *steps, last = function.body
    assert all(isinstance(step, ast.Assign) for step in steps) and isinstance(last, ast.Return)
    known = {f.__name__ for f in vocabulary.VOCABULARY}
    parameters = [a.arg for a in function.args.args]
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        assert isinstance(call.func, ast.Name) and call.func.id in known
    assert parameters[:2] == ["weight", "gradient"]
    assert len(parameters) == 2 + len(rule.slots) + len(rule.at(0, dict.fromkeys(rule.numbers, 0.5)))


def trained(name: str, steps: int, **given: Any) -> np.ndarray:
    """The weight [1, -2] after some steps down a bowl."""
    numbers, flags = made(name, **given)
    weights = {"w": np.array([1.0, -2.0])}
    slots = {slot: {"w": np.zeros(2)} for slot in OPTIMIZERS[name].slots(flags)}
    for step in range(steps):
        weights, slots = apply(name, numbers, flags, step, weights, {"w": 2 * weights["w"]}, slots)
    return weights["w"]


def test_sgd_with_momentum_by_hand() -> None:
    np.testing.assert_allclose(trained("sgd", 1, lr=0.1), [0.8, -1.6])
    m1 = -0.1 * 2
    m2 = 0.9 * m1 - 0.1 * 2 * (1 + m1)
    np.testing.assert_allclose(trained("sgd", 2, lr=0.1, momentum=0.9)[0], 1 + m1 + m2)
    np.testing.assert_allclose(trained("sgd", 1, lr=0.1, momentum=0.9, nesterov=True)[0], 1 + 0.9 * m1 - 0.2)


def test_adam_moves_by_its_rate_in_the_first_step() -> None:
    """Whatever the size of the gradient, but for epsilon, which is not corrected for the bias."""
    np.testing.assert_allclose(trained("adam", 1, lr=0.01), [0.99, -1.99], rtol=1e-5)
    alpha = 0.01 * 0.001**0.5 / 0.1
    np.testing.assert_allclose(trained("adam", 1, lr=0.01, epsilon=0.1)[0], 1 - alpha * 0.2 / (0.001**0.5 * 2 + 0.1))


def test_adam_after_many_steps_has_no_rounding_of_its_powers() -> None:
    rule = OPTIMIZERS["adam"].rule({})
    numbers = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
    assert rule.at(10_000_000, numbers)[0] == pytest.approx(0.001, rel=1e-12)


def test_decay_comes_before_the_rule_and_after_clipping() -> None:
    decayed = 1 - 1 * 0.5 * 0.1
    np.testing.assert_allclose(trained("sgd", 1, lr=0.1, weight_decay=0.5)[0], decayed - 0.1 * 2)
    np.testing.assert_allclose(trained("sgd", 1, lr=0.1, weight_decay=0.5, clip_value=1.0)[0], decayed - 0.1 * 1)


def test_clipping() -> None:
    gradients = {"a": np.array([3.0, 4.0]), "b": np.array([0.3, -0.4]), "c": np.zeros(2)}
    by_norm = clipped(gradients, "norm", 1.0)
    np.testing.assert_allclose(by_norm["a"], [0.6, 0.8])
    np.testing.assert_allclose(by_norm["b"], gradients["b"])
    np.testing.assert_array_equal(by_norm["c"], [0, 0])
    together = clipped(gradients, "global_norm", 1.0)
    np.testing.assert_allclose(np.sqrt(sum((g**2).sum() for g in together.values())), 1.0)
    np.testing.assert_allclose(together["b"] / together["a"], gradients["b"] / gradients["a"])
    np.testing.assert_allclose(clipped(gradients, "value", 0.35)["b"], [0.3, -0.35])
    np.testing.assert_allclose(clipped(gradients, "global_norm", 100.0)["a"], gradients["a"])


@pytest.mark.parametrize("kind", ["norm", "global_norm", "value"])
def test_clipping_does_not_hide_nan(kind: str) -> None:
    found = clipped({"a": np.array([np.nan, 1.0])}, kind, 0.5)["a"]
    assert np.isnan(found[0])


def test_weights_without_a_gradient_stay() -> None:
    numbers, flags = made("adamw")
    weights = {"w": np.ones(2), "idle": np.ones(2)}
    slots = {slot: {name: np.zeros(2) for name in weights} for slot in ("momentum", "velocity")}
    after, _ = apply("adamw", numbers, flags, 0, weights, {"w": np.ones(2)}, slots)
    assert (after["idle"] == 1).all() and (after["w"] != 1).all()
