"""Losses written in the language: their values and gradients against NumPy, in both targets and both precisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kdsl
from kdsl.source import Source

Array = np.ndarray
ROWS = 40

HEAD = """fn focal(logit, y, gamma = 2) {
  p     = sigmoid(logit)
  right = where(y, p, 1 - p)
  ce    = maximum(logit, 0) - logit * y + log1p(exp(-abs(logit)))
  return (1 - right) ** gamma * ce
}
fn by_hand(scores, wanted) = logsumexp(scores, axis = -1) - sum(scores * one_hot(wanted, 3), axis = -1)

model Net {
  input  x: f32[4]
  target spam: bool
  target price: f32
  target kind: index(3)
  logit  = x -> dense(1) as spammy
  guess  = x -> dense(1) as priced
  scores = x -> dense(3) as kinds
  q = logit[0]
  output logit, guess, scores
}

train Net {
  optimizer = sgd(lr = 1)
  loss = """

# The loss of a batch, and its slopes for logits [n], guesses [n] and scores [n, 3].
Formula = Callable[[Array, Array, Array, Array, Array, Array], tuple[float, Array, Array, Array]]


def focal(
    q: Array, guess: Array, scores: Array, spam: Array, price: Array, kind: Array
) -> tuple[float, Array, Array, Array]:
    p = 1 / (1 + np.exp(-q))
    right = np.where(spam, p, 1 - p)
    loss = -((1 - right) ** 2) * np.log(right)
    slope = (1 - right) ** 2 * (2 * right * np.log(right) + right - 1) * np.where(spam, 1, -1)
    return float(loss.mean()), slope / len(q), np.zeros_like(guess), np.zeros_like(scores)


def mixture(
    q: Array, guess: Array, scores: Array, spam: Array, price: Array, kind: Array
) -> tuple[float, Array, Array, Array]:
    error = guess - price
    p = 1 / (1 + np.exp(-q))
    entropy = -np.log(np.where(spam, p, 1 - p)).mean()
    loss = (error**2).mean() + 0.3 * entropy - 0.05 * np.abs(error).mean()
    slope = (2 * error - 0.05 * np.sign(error)) / len(q)
    return float(loss), 0.3 * (p - spam) / len(q), slope, np.zeros_like(scores)


def root(
    q: Array, guess: Array, scores: Array, spam: Array, price: Array, kind: Array
) -> tuple[float, Array, Array, Array]:
    error = guess - price
    loss = np.sqrt((error**2).mean())
    return float(loss), np.zeros_like(q), error / len(q) / loss, np.zeros_like(scores)


def entropy(
    q: Array, guess: Array, scores: Array, spam: Array, price: Array, kind: Array
) -> tuple[float, Array, Array, Array]:
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    wanted = np.eye(3)[kind]
    loss = -np.log((shares * wanted).sum(1)).mean()
    return float(loss), np.zeros_like(q), np.zeros_like(guess), (shares - wanted) / len(q)


LOSSES: dict[str, Formula] = {
    "focal(q, spam)": focal,
    "focal(q, spam, gamma = 2)": focal,
    "mse(guess, price) + 0.3 * binary_cross_entropy(logit, spam) - mae(guess, price) / 20": mixture,
    "sqrt(mse(guess, price))": root,
    "mse(guess, price) ** 0.5": root,
    "by_hand(scores, kind)": entropy,
    "cross_entropy(scores, kind)": entropy,
}


FIRST = list({formula: loss for loss, formula in reversed(LOSSES.items())}.values())  # one of each: kernels take time
CASES = [
    *((loss, "numpy", dtype) for loss in LOSSES for dtype in ("f64", "f32")),
    *((loss, "numba", "f64") for loss in FIRST),
    *((loss, "numba", "f32") for loss in FIRST[:2]),
]


@pytest.mark.parametrize(("loss", "target", "dtype"), CASES)
def test_value_and_gradient(loss: str, target: Any, dtype: Any) -> None:
    made = kdsl.load(Source("net.kmodel", f"{HEAD}{loss}\n}}\n"), target=target, dtype=dtype)
    scalar = np.float64 if dtype == "f64" else np.float32
    rng = np.random.default_rng(1)
    x = rng.standard_normal((ROWS, 4)).astype(scalar)
    spam, price, kind = rng.random(ROWS) < 0.5, rng.standard_normal(ROWS).astype(scalar), rng.integers(0, 3, ROWS)
    model = made.Net(seed=2)
    before = {name: value.astype(np.float64) for name, value in model.get_weights().items()}
    logs = model.train_on_batch(x, (spam, price, kind.astype(np.int32)))
    after = model.get_weights()

    def out(name: str) -> Array:
        return x.astype(np.float64) @ before[f"{name}.kernel"] + before[f"{name}.bias"]

    value, *slopes = LOSSES[loss](out("spammy")[:, 0], out("priced")[:, 0], out("kinds"), spam, price, kind)
    exact = {"rtol": 1e-10, "atol": 1e-13} if dtype == "f64" else {"rtol": 2e-4, "atol": 2e-6}
    assert np.allclose(logs["loss"], value, **exact)
    for name, slope in zip(("spammy", "priced", "kinds"), slopes, strict=True):
        wide = slope.reshape(ROWS, -1)
        for weight, wanted in ((f"{name}.kernel", x.T.astype(np.float64) @ wide), (f"{name}.bias", wide.sum(0))):
            assert np.allclose(before[weight] - after[weight], wanted, **exact), weight
