"""Networks of the library's blocks and formulas: the numba target against the NumPy target."""

from __future__ import annotations

import re

import pytest
from numba_models import assert_equal, module, results

from kdsl.elaborate import library

BLOCKS = """
model M {
  input  x: f32[6]
  input  c: f32[3]
  input  p: f32[4, 4, 8]
  target t: bool
  a = x -> GatedLinear -> Highway -> ResidualMlp -> GatedLinear(8, act = silu) -> MixtureOfExperts(5) -> Maxout(6)
  b = (a, c) -> Modulate
  d = (x, b) -> Cross
  e = p -> SqueezeExcite
  f = (e, c) -> ModulatePicture -> reshape([16, 8]) -> RmsNorm -> LayerScale(0.5) -> FactorizationMachine
  h = concat([d, f]) -> dense(4) -> squareplus -> dense(4) -> relu_squared -> dense(4) -> quick_gelu
  angle = cosine(a, b) -> reshape([1])
  far = normal_divergence(a, b) -> reshape([1])
  logit = concat([h, angle, 0.01 * far]) -> dense(1)
  output logit, a
}

train M {
  loss      = focal(logit, t) + 0.1 * log_cosh(d, x) + 0.1 * quantile(b, x, q = 0.9)
  metrics   = [accuracy(logit, t)]
  optimizer = adam(lr = 0.01)
}
"""

ATTENTION = """
model M {
  input  x: f32[6, 8]
  input  o: f32[5, 3]
  target t: index(6)
  a = x -> SinusoidalPositions -> Transformer(heads = 2, causal = true, dropout = 0.1) -> Mixer
  b = (a, o) -> CrossAttention
  logits = b -> AttentionPool -> dense(6)
  output logits
}

train M {
  loss      = cross_entropy(logits, t)
  metrics   = [accuracy(logits, t)]
  optimizer = sgd(lr = 0.1)
}
"""


def with_imports(text: str) -> str:
    """The text with the lines that import what it uses."""
    lines = []
    for file in library.files():
        used = [name for name in library.defined_in(file) if re.search(rf"\b{name}\b", text)]
        lines += [f'import {", ".join(used)} from "{file}"'] if used else []
    return "\n".join(lines) + "\n" + text


@pytest.mark.parametrize("text", [BLOCKS, ATTENTION], ids=["blocks", "attention"])
def test_both_targets_agree(text: str) -> None:
    source = with_imports(text)
    assert_equal(results(module(source, "numpy")), results(module(source, "numba")), 1e-10)


def test_all_of_the_library_is_in_one_of_the_models() -> None:
    inner = {"SelfAttention", "FeedForward"}  # what Transformer is made of
    names = [name for file in library.files() for name in library.defined_in(file) if name not in inner]
    assert [name for name in names if not re.search(rf"\b{name}\b", BLOCKS + ATTENTION)] == []
