"""Weights with settings of their own, and regularized ones: both targets against the update written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kdsl
from kdsl.source import Source
from kdsl.training.optimizers import apply

Array = np.ndarray
ROWS, BATCH = 24, 8
OPTIMIZER_TEXTS = [
    "sgd(lr = 0.05)",
    "sgd(lr = 0.05, momentum = 0.9, nesterov = true, weight_decay = 0.1)",
    "rmsprop(lr = 0.01, centered = true, momentum = 0.5)",
    "adam(lr = 0.02, clip_norm = 0.5)",
    "adam(lr = 0.02, amsgrad = true, clip_value = 0.3)",
    "adamw(lr = 0.02, weight_decay = 0.2, global_clip_norm = 0.7)",
]


def text(optimizer: str, settings: str) -> str:
    return (
        "model Two {\n  input x: f32[3]\n  target y: f32[2]\n  h = x -> dense(20) as wide\n  guess = h -> dense(2) as last\n"
        f"  output guess\n}}\ntrain Two {{\n  loss = mse(guess, y)\n  optimizer = {optimizer}\n{settings}}}\n"
    )


TUNED = (
    '  tune "wide.*" {\n    lr_scale = 0.25\n  }\n  tune "*.bias" {\n    weight_decay = 0.3\n  }\n'
    '  tune "last.kernel" {\n    weight_decay = 0\n    lr_scale = 3\n  }\n'
)
SCALES = {"wide.kernel": 0.25, "wide.bias": 0.25, "last.kernel": 3.0, "last.bias": 1.0}
DECAYS: dict[str, float | None] = {"wide.kernel": None, "wide.bias": 0.3, "last.kernel": 0.0, "last.bias": 0.3}


def gradients(w: dict[str, Array], x: Array, y: Array) -> dict[str, Array]:
    """Of the mean squared error of two layers without activation."""
    h = x @ w["wide.kernel"] + w["wide.bias"]
    error = 2 * (h @ w["last.kernel"] + w["last.bias"] - y) / y.size
    back = error @ w["last.kernel"].T
    return {
        "wide.kernel": x.T @ back,
        "wide.bias": back.sum(0),
        "last.kernel": h.T @ error,
        "last.bias": error.sum(0),
    }


def clipped_together(name: str, limit: float, found: dict[str, Array]) -> dict[str, Array]:
    length = np.sqrt(sum((g**2).sum() for g in found.values()))
    return {key: g * (limit / max(length, limit)) for key, g in found.items()} if name == "global_clip_norm" else found


def by_hand(
    made: Any, x: Array, y: Array, steps: int, scales: dict[str, float], decays: dict[str, float | None]
) -> dict[str, Array]:
    """Each weight by itself, with its own numbers."""
    training = made.DECLARATION.training
    name, flags = training.optimizer.split("(")[0], dict(flags_of(training.optimizer))
    flags |= {"momentum": True} if "momentum" in training.numbers else {}  # a number says that there is one
    w = made.Two(seed=3).get_weights()
    slots = {slot: {key: np.zeros_like(value) for key, value in w.items()} for slot in training.slots}
    for step in range(steps):
        part = slice(step * BATCH % ROWS, step * BATCH % ROWS + BATCH)
        found = gradients(w, x[part], y[part])
        own_flags = dict(flags)
        if own_flags.get("clip") == "global_norm":  # it looks at all gradients together
            found = clipped_together("global_clip_norm", training.numbers["global_clip_norm"], found)
            del own_flags["clip"]
        for key in list(w):
            numbers = {**training.numbers, "lr": training.numbers["lr"] * scales.get(key, 1.0)}
            decay = decays.get(key)
            if decay is not None:
                numbers["weight_decay"] = decay
            each = {**own_flags, **({"weight_decay": True} if "weight_decay" in numbers else {})}
            state = {slot: {key: slots[slot][key]} for slot in slots}
            new, kept = apply(name, numbers, each, step, {key: w[key]}, {key: found[key]}, state)
            w[key] = new[key]
            for slot in slots:
                slots[slot][key] = kept[slot][key]
    return w


def flags_of(optimizer: str) -> list[tuple[str, Any]]:
    inside = optimizer.partition("(")[2].rstrip(")")
    pairs = [part.split(" = ") for part in inside.split(", ") if part]
    return [(key, {"true": True, "false": False}.get(value, value)) for key, value in pairs]


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((ROWS, 3)), rng.standard_normal((ROWS, 2))


def trained(made: Any, epochs: int = 2) -> dict[str, Array]:
    model = made.Two(seed=3)
    model.fit(*data(), epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0)
    found: dict[str, Array] = model.get_weights()
    return found


@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("optimizer", OPTIMIZER_TEXTS)
def test_tuned_weights(optimizer: str, target: Any) -> None:
    made = kdsl.load(Source("two.kmodel", text(optimizer, TUNED)), target=target, dtype="f64")
    wanted = by_hand(made, *data(), 6, SCALES, DECAYS)
    for name, value in trained(made).items():
        assert np.allclose(value, wanted[name], rtol=1e-9, atol=1e-12), name


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_weights_without_settings_of_their_own(target: Any) -> None:
    made = kdsl.load(Source("two.kmodel", text(OPTIMIZER_TEXTS[1], "")), target=target, dtype="f64")
    wanted = by_hand(made, *data(), 6, {}, {})
    for name, value in trained(made).items():
        assert np.allclose(value, wanted[name], rtol=1e-9, atol=1e-12), name


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_frozen_weights_stay(target: Any) -> None:
    settings = '  tune "wide.*" {\n    frozen = true\n  }\n'
    made = kdsl.load(Source("two.kmodel", text("adamw(lr = 0.1)", settings)), target=target, dtype="f64")
    before, after = made.Two(seed=3).get_weights(), trained(made)
    assert [name for name in before if np.array_equal(before[name], after[name])] == ["wide.kernel", "wide.bias"]
    assert [weight.name for weight in made.DECLARATION.weights if weight.trainable] == ["last.kernel", "last.bias"]


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_regularized_weights(target: Any) -> None:
    settings = '  regularize = [l2(0.1), l1(0.05, weights = "last.*")]\n'
    made = kdsl.load(Source("two.kmodel", text("sgd(lr = 0.05)", settings)), target=target, dtype="f64")
    x, y = data()
    w = made.Two(seed=3).get_weights()
    losses = []
    for step in range(3):
        part = slice(step * BATCH, step * BATCH + BATCH)
        error = (x[part] @ w["wide.kernel"] + w["wide.bias"]) @ w["last.kernel"] + w["last.bias"] - y[part]
        squares = sum((w[name] ** 2).sum() for name in ("wide.kernel", "last.kernel"))
        sizes = np.abs(w["last.kernel"]).sum() + np.abs(w["last.bias"]).sum()
        losses.append((error**2).mean() + 0.1 * squares + 0.05 * sizes)
        found = gradients(w, x[part], y[part])
        for name in w:
            slope = 0.2 * w[name] if name.endswith("kernel") else 0.0
            slope = slope + (0.05 * np.sign(w[name]) if name.startswith("last") else 0.0)
            w[name] = w[name] - 0.05 * (found[name] + slope)
    model = made.Two(seed=3)
    history = model.fit(x, y, epochs=1, batch_size=BATCH, shuffle=False, verbose=0).history
    assert history["loss"][0] == pytest.approx(np.mean(losses), rel=1e-10)
    for name, value in model.get_weights().items():
        assert np.allclose(value, w[name], rtol=1e-10, atol=1e-13), name
