"""Models of the layers that move, merge, normalise and look up: the numba target against the NumPy target."""

from __future__ import annotations

import numpy as np
import pytest
from numba_models import assert_equal, module, results

from kdsl.ops import LAYERS, axes, embedding, gathering, global_pooling, joining, merging, movement, normalization

TRAIN = """
train M {
  loss      = cross_entropy(h, t)
  metrics   = [accuracy(h, t)]
  optimizer = adam(lr = 0.02)
}
"""

SEQUENCE = """
model M {
  input  words: index(11)[6]
  input  marks: i32[6]
  target t: index(4)
  weight token: f32[1, 8] = normal
  spoken  = words -> embed(5)
  hot     = one_hot(marks, 3)
  both    = (spoken, hot) -> concat -> positions
  longer  = concat([token, both], axis = 0) -> layer_norm
  turned  = longer -> permute([1, 0]) -> dense(7) -> permute([1, 0]) -> rms_norm
  some    = gather(turned, marks[0:4], axis = 0) -> unit_norm
  swapped = transpose(some) -> layer_norm(axis = [0, 1]) -> global_max_pool
  framed  = pad(flip(some, axis = 0), [1, 0], axis = 0) -> global_avg_pool
  first, second = split(longer, 2)
  met     = (first, second) -> dot -> global_avg_pool
  h = concat([swapped, framed, met, spoken[-1], turned[0]]) -> identity -> dense(4)
  output h, some
}
"""

MERGED = """
model M {
  input  a: f32[7]
  input  b: u8[7]
  input  c: f32[3, 7]
  target t: index(4)
  x = a -> dense(7) -> tanh
  y = (b -> rescale(1 / 255)) -> dense(7)
  z = c -> dense(7)
  sums     = (x, y, z) -> add
  gaps     = (x, y) -> subtract
  products = (x, y, z) -> multiply
  means    = (x, y, c) -> average
  largest  = (x, y) -> maximum
  least    = (y, z) -> minimum
  angle    = (x, y) -> dot(normalize = true)
  rows     = x -> repeat_vector(3)
  pile     = stack([rows, z, c], axis = 1) -> reshape([9, 7])
  board    = tile(expand_dims(gaps, axis = 0), [2, 1])
  column   = squeeze(expand_dims(largest, axis = -1))
  h = concat([sums, products, means, least, pile, board], axis = 0) -> global_avg_pool(keep = true) -> flatten
    -> dense(4)
  k = (h, (angle -> dense(4)), (column -> dense(4))) -> add
  output k
}
"""


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("source", [SEQUENCE, MERGED], ids=["sequence", "merged"])
def test_both_targets_agree(source: str, dtype: str) -> None:
    text = source + (TRAIN if source is SEQUENCE else TRAIN.replace("h, t", "k, t"))
    wanted = results(module(text, "numpy", dtype))
    assert_equal(wanted, results(module(text, "numba", dtype)), {"f64": 1e-10, "f32": 2e-5}[dtype])


def test_every_layer_of_these_files_is_in_one_of_the_models() -> None:
    files = {
        m.__name__ for m in (axes, embedding, gathering, global_pooling, joining, merging, movement, normalization)
    }
    names = {name for name, cls in LAYERS.items() if cls.__module__ in files}
    used = SEQUENCE + MERGED
    assert [name for name in sorted(names) if name not in used] == []


FAR = """
model M {
  input  places: i32[4]
  input  x: f32[3, 2]
  target t: f32
  weight table: f32[5, 2] = normal
  picked = gather(table, places)
  own    = gather((x -> dense(2)), places)
  hot    = one_hot(places, 5)
  y = concat([picked, own, hot]) -> flatten -> dense(1) -> squeeze
  output y, picked, own, hot
}

train M {
  loss      = mse(y, t)
  optimizer = sgd(lr = 0.1)
}
"""


@pytest.mark.parametrize(("dtype", "tolerance"), [("f64", 1e-10), ("f32", 1e-4)])
def test_places_outside_are_never_read_or_written(dtype: str, tolerance: float) -> None:
    """Whole numbers of the data may be anything: the nearest place is taken, and one_hot gives zeros."""
    rng = np.random.default_rng(0)
    places = rng.choice([-(2**31), -7, -1, 0, 1, 2, 4, 5, 900, 2**31 - 1], (12, 4)).astype("int32")
    x, t = rng.normal(size=(12, 3, 2)), rng.normal(size=12)
    found = []
    for target in ("numpy", "numba"):
        model = module(FAR, target, dtype).M(seed=1)
        before = model.predict((places, x))
        model.fit((places, x), t, batch_size=5, epochs=2, shuffle=False, verbose=0)
        found.append((before, model.get_weights()))
    (wanted, wanted_weights), (outputs, weights) = found
    table = module(FAR, "numpy", dtype).M(seed=1).get_weights()["table"]
    np.testing.assert_array_equal(wanted["picked"], table[np.clip(places, 0, 4)])
    np.testing.assert_array_equal(wanted["hot"].sum(-1), (places >= 0) & (places < 5))
    for name, array in wanted.items():
        np.testing.assert_allclose(outputs[name], array, rtol=tolerance, atol=tolerance, err_msg=name)
    for name, array in wanted_weights.items():
        np.testing.assert_allclose(weights[name], array, rtol=tolerance, atol=tolerance, err_msg=name)
