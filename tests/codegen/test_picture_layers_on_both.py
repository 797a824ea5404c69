"""Layers of pictures that are made of other ops, and noise: the numba target against the NumPy target."""

from __future__ import annotations

import pytest
from numba_models import assert_equal, module, results

from kdsl.ops import LAYERS, adaptive_pooling, frames, group_norm, noise, prelu, resizing

TRAIN = """
train M {
  loss      = cross_entropy(h, t)
  metrics   = [accuracy(h, t)]
  optimizer = adam(lr = 0.01)
}
"""

PICTURES = """
model M {
  input image: u8[9, 8, 3]
  input sound: f32[7, 4]
  target t: index(4)
  small = image -> rescale(1 / 255) -> crop([[0, 1], [1, 2]]) -> dense(6)
  grown = small -> group_norm(3) -> prelu(shared_axes = [0, 1]) -> upsample([2, 3]) -> conv(5, kernel = 3)
  drawn = small -> upsample(2, method = bilinear) -> prelu -> dense(7) -> group_norm(1, scale = false)
  other = small -> resize([5, 9]) -> zero_pad([[0, 2], [1, 0]]) -> dense(5) -> adaptive_max_pool([2, 3])
  near  = small -> resize([5, 7], method = nearest) -> center_crop([3, 4]) -> dense(5) -> adaptive_avg_pool(2)
  even  = small -> zero_pad(1) -> center_crop(6) -> adaptive_max_pool(3) -> dense(5) -> adaptive_avg_pool([1, 3])
  steps = sound -> upsample(2) -> resize(9) -> dense(6) -> group_norm(-1, center = false) -> adaptive_avg_pool(4)
  parts = (grown -> global_avg_pool, drawn -> global_avg_pool, other -> flatten, near -> flatten, even -> flatten,
           steps -> flatten) -> concat
  h = parts -> dense(4)
  output h
}
"""

NOISES = """
model M {
  input image: f32[5, 4, 3]
  target t: index(4)
  h = image -> gaussian_noise(0.3) -> dense(9) -> spatial_dropout(0.4) -> relu -> gaussian_dropout(0.3) -> flatten
    -> dense(20) -> selu -> alpha_dropout(0.2) -> dense(4)
  output h
}
"""
SOURCES = {"pictures": PICTURES, "noise": NOISES}


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("source", SOURCES)
def test_both_targets_agree(source: str, dtype: str) -> None:
    text = SOURCES[source] + TRAIN
    wanted = results(module(text, "numpy", dtype))
    assert_equal(wanted, results(module(text, "numba", dtype)), {"f64": 1e-9, "f32": 1e-3}[dtype])


def test_without_the_passes_that_take_it_away_noise_is_the_same() -> None:
    without = frozenset({"simplify_gradients", "dead_code", "fuse_elementwise", "fuse_reductions"})
    wanted = results(module(NOISES + TRAIN, "numpy", "f64"))
    for target in ("numpy", "numba"):
        assert_equal(wanted, results(module(NOISES + TRAIN, target, "f64", without=without)), 1e-9)


def test_every_layer_of_these_files_is_in_one_of_the_models() -> None:
    files = {each.__name__ for each in (adaptive_pooling, frames, group_norm, noise, prelu, resizing)}
    names = {name for name, cls in LAYERS.items() if cls.__module__ in files}
    assert [name for name in sorted(names) if name not in PICTURES + NOISES] == []
