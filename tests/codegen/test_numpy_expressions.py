"""Tensor expressions in the NumPy target: every function of the language, in both precisions, against the interpreter."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kdsl.compiler import compile_file
from kdsl.graph.interpreter import run
from kdsl.passes.pipeline import optimise, slice_graph
from kdsl.source import Source

EVERYTHING = """
model Net {
  input  x: f32[4, 3]
  input  image: u8[4, 3]
  input  seen: bool[4]
  target y: f32[4, 3]
  weight gain: f32[3] = ones
  weight mix: f32[3, 2, 3] = normal(stddev = 0.3)

  h = x -> dense(3)
  unit = (h - mean(h, axis = -1, keep = true)) / sqrt(var(h, axis = -1, keep = true) + 1e-3) * gain ** 2
  bounded = clip(unit, low = -1.5, high = 1.5) + maximum(unit, 0.1 * x, -0.2) - minimum(h, 1)
  waves = sin(h) * cos(x) + erf(h) - expm1(-abs(h)) + log1p(square(h)) + rsqrt(1 + h ** 2)
  steps = sign(h) + floor(h) + ceil(x) + round(4 * h) - (h + 0.5) ** 3
  powers = power(1.1, h) + (abs(x) + 0.5) ** sigmoid(h) + log(exp(h) + 1) + -h
  inside = (h > -0.5 and not h >= x) or image == 7
  chosen = where(inside, 1, 0) + where(h <= 0, h, stop_gradient(x)) + where(x != 0, gain, h)
  lit = where(seen, 1, 2)
  rows = lit * sum(h, axis = -1) + max(h, axis = 1) - min(h, axis = 1) + std(h, axis = 1) + logsumexp(h, axis = 1)
  flat = rows / norm(x) + mean(image) / 255
  heads = einsum("td,dhe->hte", h, mix)
  mixed = einsum("hte,hse->ts", heads, heads) @ (h @ (gain * transpose(gain * mix)[0:3, 0, 0:3]) + x)
  noise = normal_like(h, stddev = 0.1) + uniform_like(h, low = -0.5) + normal([3]) + uniform([4, 1], high = 2)

  out = unit + bounded + waves + steps + powers + chosen + mixed + noise + broadcast_to(gain, [4, 3])
  output out, flat, inside
  output place = argmax(out, axis = -1)
  output lowest = argmin(out)
  output some = any(inside, axis = 0)
  output every = all(inside)
  output dice = uniform([2], sample = always)
}

train Net {
  loss      = mse(out, y) + 0.1 * mse(flat, y -> mean(axis = -1))
  optimizer = sgd(lr = 0.1)
  batch     = 5
}
"""


def built(folder: Path, dtype: str) -> tuple[Any, Any]:
    compiled = compile_file(Source("net.kmodel", EVERYTHING), target="numpy", dtype=dtype)
    assert compiled.text is not None, compiled.diagnostics
    path = folder / "net.py"
    path.write_text(compiled.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("numpy_expressions_net", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return compiled.programs[0], module


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_every_function(tmp_path: Path, dtype: str) -> None:
    program, module = built(tmp_path, dtype)
    rng = np.random.default_rng(1)
    scalar = {"f32": "float32", "f64": "float64"}[dtype]
    x, y = (rng.normal(size=(5, 4, 3)).astype(scalar) for _ in range(2))
    image = rng.integers(0, 20, (5, 4, 3)).astype(np.uint8)
    seen = rng.integers(0, 2, (5, 4)).astype(np.uint8)
    inputs = {"x": x, "image": image, "seen": seen}
    weights = {name: w.astype(scalar) for name, w in module.Net().get_weights().items()}
    exact = {"rtol": 1e-12, "atol": 1e-12} if dtype == "f64" else {"rtol": 3e-4, "atol": 3e-4}

    graph = optimise(slice_graph(program.graph, "predict"), kind="predict")
    wanted = run(graph, inputs, {}, weights)
    outputs = module.predict(weights, x, image, seen)
    for (name, value), found in zip(graph.outputs, outputs, strict=True):
        kinds = {"f32": scalar, "bool": "bool", "i32": "int32"}
        assert found.dtype == kinds[graph[value].type.dtype], name
        np.testing.assert_allclose(found, wanted[value], err_msg=name, **exact)

    graph = optimise(slice_graph(program.graph, "train"))
    wanted = run(graph, inputs, {"y": y}, weights, seed=5, step=3)
    means, gradients, _ = module.gradients(weights, 5, 3, x, image, seen, y)
    np.testing.assert_allclose(means[0], wanted[graph.loss], **exact)
    assert set(gradients) == set(weights)
    for name, value in graph.gradients:
        assert gradients[name].dtype == scalar and gradients[name].shape == weights[name].shape
        np.testing.assert_allclose(gradients[name], wanted[value], err_msg=name, **exact)
