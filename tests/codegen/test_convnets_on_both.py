"""Models with windows and batch normalisation: the numba target against the NumPy target, one and two threads."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numba_models import assert_equal, data, engine, module, results, weights

TRAIN = """
train M {
  loss      = cross_entropy(h, t)
  metrics   = [accuracy(h, t)]
  optimizer = adam(lr = 0.01)
}
"""

RESIDUAL = """
block ConvBn(x: f32[H, W, C], out: int, kernel: int = 3, stride: int = 1) -> f32[_, _, out] {
  return x -> conv(out, kernel = kernel, stride = stride, pad = same, bias = false) -> batch_norm(momentum = 0.8)
}
block Residual(x: f32[H, W, C], out: int = C, stride: int = 1) -> f32[_, _, out] {
  main = x -> ConvBn(out, stride = stride) -> relu -> ConvBn(out)
  skip = if out == C and stride == 1 then x else x -> ConvBn(out, kernel = 1, stride = stride)
  return (main + skip) -> relu
}
model M {
  input image: u8[8, 7, 3]
  target t: index(4)
  h = image -> rescale(1 / 255) -> ConvBn(6) -> relu -> Residual -> Residual(18, stride = 2) -> max_pool(2)
    -> global_avg_pool -> dense(4)
  output h
}
"""

WINDOWS = """
model M {
  input image: f32[7, 8, 4]
  input sound: f32[11, 3]
  input body: f32[4, 5, 4, 2]
  target t: index(4)
  small   = image -> conv(6, kernel = [3, 2], stride = [2, 1], groups = 2) -> tanh -> avg_pool(2, stride = 1, pad = same)
  larger  = small -> conv_transpose(5, kernel = 3, stride = 2, pad = same) -> relu
  wide    = image -> conv(17, kernel = 3, dilation = 2, pad = same) -> relu -> dropout(0.2)
  deep    = wide -> depthwise_conv(kernel = 3, multiplier = 2, stride = 2, pad = same) -> relu
  apart   = image -> separable_conv(8, kernel = 3, bias = false) -> batch_norm(scale = false) -> relu
    -> max_pool(3, stride = 2, pad = same)
  steps   = sound -> conv(5, kernel = 3, dilation = 2, pad = causal, bias = false) -> batch_norm(center = false)
    -> max_pool(2)
  volume  = body -> conv(4, kernel = 2) -> relu -> conv_transpose(3, kernel = 2, stride = 2) -> max_pool(2)
  h = (larger -> global_avg_pool, deep -> global_avg_pool, apart -> global_max_pool, steps -> global_avg_pool,
       volume -> global_avg_pool) -> concat -> dense(4)
  output h
}
"""


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("source", [RESIDUAL, WINDOWS], ids=["residual", "windows"])
def test_both_targets_agree(source: str, dtype: str) -> None:
    # Adam divides gradients by their size, and would make much of the rounding of those that are nearly zero.
    train = TRAIN if dtype == "f64" else TRAIN.replace("adam(lr = 0.01)", "sgd(lr = 0.05, momentum = 0.9)")
    wanted = results(module(source + train, "numpy", dtype))
    assert_equal(wanted, results(module(source + train, "numba", dtype)), {"f64": 1e-9, "f32": 2e-5}[dtype])


def bits_of(made: ModuleType, threads: int) -> dict[str, np.ndarray]:
    """All numbers after five steps, the last of them of a smaller batch."""
    core, (inputs, targets) = engine(made, threads), data(made, 150)
    for name, value in weights(made).items():
        core.set_weight(name, value)
    rates = np.tile(list(made.DECLARATION.training.numbers.values()), (5, 1))
    found = {"totals": core.train(inputs, targets, np.arange(150) * 7 % 150, 32, 0, 7, rates)[0]}
    for weight in made.DECLARATION.weights:
        found[weight.name] = core.get_weight(weight.name)
        for slot in made.DECLARATION.training.slots if weight.trainable else ():
            found[f"{slot} of {weight.name}"] = core.get_slot(slot, weight.name)
    return found


@pytest.mark.parametrize("source", [RESIDUAL, WINDOWS], ids=["residual", "windows"])
def test_any_number_of_threads_gives_the_same_bits(source: str) -> None:
    """Weights, moving statistics, the optimizer's states and the sums of losses; a batch is of several blocks."""
    made = module(source + TRAIN, "numba", "f32")
    assert made.BLOCK_ROWS <= 16
    one = bits_of(made, 1)
    for threads in (2, 5):
        for name, value in bits_of(made, threads).items():
            assert np.array_equal(value, one[name]), (threads, name)
    assert all(np.isfinite(value).all() for value in one.values())


def test_frozen_batch_normalisation_stays() -> None:
    """Its moving statistics are used in training too, and do not move."""
    text = RESIDUAL + TRAIN.replace("adam(lr = 0.01)", 'adam(lr = 0.01)\n  tune "h.ConvBn.*" { frozen = true }')
    for target in ("numpy", "numba"):
        made = module(text, target, "f64")
        model = made.M(seed=1)
        before = model.get_weights()
        rng = np.random.default_rng(0)
        model.fit(rng.integers(0, 256, (8, 8, 7, 3), "uint8"), rng.integers(0, 4, 8).astype("int32"), verbose=0)
        after = model.get_weights()
        for name, value in before.items():
            moved = not np.array_equal(value, after[name])
            assert moved == (not name.startswith("h.ConvBn.")), name
