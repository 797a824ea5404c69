"""Models written in tensor functions: the numba target against the NumPy target, values, gradients and states."""

from __future__ import annotations

import numpy as np
from numba_models import assert_equal, module, results

RANDOM = """\
model M {
  input x: f32[9, 12]
  target t: index(5)
  weight w: f32[9, 1] = ones
  d = (x * w) -> dropout(0.4)
  a = mean(d ** 2, axis = -1)
  b = sum(d * 2, axis = 0)
  e = max((x + w) -> dropout(0.3), axis = 0)
  z = sum((x * w) -> dropout(0.3), axis = [0, 1], keep = true)
  n = mean(w * normal([9, 3]), axis = 0)
  u = mean(normal([9, 3]) + w, axis = 1)
  h = concat([a, b, e, reshape(z, [1]), n, u]) -> dense(5)
  output y = h
}
"""
MOVEMENTS = """\
model M {
  input x: f32[6, 20]
  input i: index(6)[4]
  target t: index(5)
  weight table: f32[30, 20] = normal(stddev = 1)
  p = pad(x[1:5], [[1, 2], [0, 3]], value = 0.5)
  q = concat([p[2:6, 0:20], gather(table, i, axis = 0), gather(x, i, axis = 0)], axis = 0)
  r = transpose(q)[3:19:2] - flip(q, axis = 1)[0:8, 0:12]
  s = where(r > 0.2, r * power(abs(r) + 0.1, 1.5), sin(r)) + one_hot(argmax(q, axis = 1), classes = 20)[0:8, 0:12]
  h = mean(broadcast_to(reshape(s, [8, 12, 1]), [8, 12, 2]), axis = [0, 2]) -> dense(5)
  output y = h
}
"""
ATTENTION = """\
block Norm(x: f32[N, C]) -> f32[N, C] {
  weight gain: f32[C] = ones
  centred = x - mean(x, axis = -1, keep = true)
  return centred * rsqrt(mean(centred ** 2, axis = -1, keep = true) + 1e-6) * gain
}

block Attention(x: f32[N, C], order: f32[N], heads: int = 2) -> f32[N, C] {
  q = x -> dense(C) -> reshape([N, heads, C / heads])
  k = x -> dense(C) -> reshape([N, heads, C / heads])
  v = x -> dense(C) -> reshape([N, heads, C / heads])
  seen = reshape(order, [N, 1]) >= reshape(order, [1, N])
  a = softmax(where(seen, einsum("qhd,khd->hqk", q, k) / 4, -1e9))
  return einsum("hqk,khd->qhd", a, v) -> reshape([N, C]) -> dense(C)
}

model M {
  input text: index(11)[9]
  input order: f32[9]
  target t: index(11)[9]
  weight table: f32[11, 32] = normal(stddev = 0.3)
  e = gather(table, text, axis = 0)
  n = e -> Norm
  a = e + ((n, order) -> Attention)
  h = (a + (a -> Norm -> dense(48) -> gelu -> dense(32))) @ transpose(table)
  output y = h
}
"""
PLACES = """\
model M {
  input x: f32[6, 20]
  target t: index(5)
  weight w: f32[6] = normal(stddev = 1)
  weight table: f32[6, 20] = normal(stddev = 1)
  k = argmax(w)
  last = argmax(arange(4))
  a = gather(x, k) + gather(table, k) * gather(table, last) + gather(x, argmax(x[:, 0]))
  b = one_hot(k, classes = 20) * gather(x, last) + gather(w, last)
  h = concat([a, b]) -> dense(5)
  output y = h
}
"""
TRAIN = """\
train M {
  loss      = cross_entropy(h, t)
  metrics   = [accuracy(h, t)]
  optimizer = adam(lr = 0.01)
  batch     = 8
}
"""


def compare(text: str) -> None:
    wanted = results(module(text + TRAIN, "numpy"))
    assert_equal(wanted, results(module(text + TRAIN, "numba")), 1e-10)


def test_random_numbers_in_reductions() -> None:
    compare(RANDOM)


def test_movements_and_choices() -> None:
    compare(MOVEMENTS)


def test_a_transformer_block() -> None:
    """Attention by einsum with a causal mask, norms written out, a table that is read twice."""
    compare(ATTENTION)


def test_bits_of_a_transformer_block_do_not_depend_on_threads() -> None:
    made = module(ATTENTION + TRAIN.replace("= 8", "= 64"), dtype="f32")
    one = results(made, batch=64, threads=1)
    again = results(made, batch=64, threads=3)
    assert all(np.array_equal(value, again[name]) for name, value in one.items())


def test_places_that_are_the_same_for_all_samples() -> None:
    compare(PLACES)
