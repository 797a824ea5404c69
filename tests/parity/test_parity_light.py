"""Light layers against Keras in float64: values, gradients to inputs and weights, names, shapes and first values of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixture_file import Case, read
from graphs import PLACE, backward, sample_type, with_defaults

from kdsl.graph import Graph
from kdsl.graph.builder import Builder
from kdsl.graph.interpreter import run
from kdsl.graph.types import TensorType
from kdsl.ops import LAYERS, axes, embedding, global_pooling, merging, normalization
from kdsl.runtime.adapt import moments
from kdsl.training.initializers import draw

CASES = read("light_layers")
EXACT = {"rtol": 1e-11, "atol": 1e-12}
NOT_OF_KERAS = {"positions", "expand_dims", "squeeze", "tile"}


def named(case: Case) -> str:
    return case.name


def test_every_layer_with_a_counterpart_is_compared() -> None:
    files = {module.__name__ for module in (axes, embedding, global_pooling, merging, normalization)}
    wanted = {name for name, cls in LAYERS.items() if cls.__module__ in files} - NOT_OF_KERAS
    assert {case.settings["layer"] for case in CASES} >= wanted | {"concat", "permute", "standardize", "maximum"}


def lowered(case: Case) -> tuple[Builder, Any, list[Any], str, list[str]]:
    """(builder, arguments, weight specs, value, names of the weights)."""
    cls = LAYERS[case.settings["layer"]]
    arguments = with_defaults(cls, case.settings["arguments"])
    types = [sample_type(x, case.settings["classes"]) for x in case.numbered("x")]
    builder = Builder()
    with builder.at(PLACE, layer="tested"):
        inputs = [builder.source("input", f"x{i}", type, {"name": f"x{i}"}) for i, type in enumerate(types)]
        cls.guard(arguments, types)
        specs = cls.weights(arguments, types)
        made = {
            spec.name: builder.source("weight", f"tested.{spec.name}", TensorType("f32", spec.shape, batched=False))
            for spec in specs
        }
        value = cls.lower(builder, arguments, inputs, made)
        assert isinstance(value, str)
        builder.source("input", "upstream", builder.type_of(value), {"name": "upstream"})
    return builder, arguments, list(specs), value, list(made.values())


@pytest.mark.parametrize("case", CASES, ids=named)
def test_values_and_gradients(case: Case) -> None:
    builder, _, _, value, weights = lowered(case)
    wanted = {f"x{i}": case[f"dx{i}"] for i in range(len(case.numbered("dx")))}
    wanted |= {name: case[f"dw{i}"] for i, name in enumerate(weights) if f"dw{i}" in case.arrays}
    found = {name: backward(builder, value, "upstream", name) for name in wanted}
    inputs = {f"x{i}": x for i, x in enumerate(case.numbered("x"))} | {"upstream": case["upstream"]}
    given = dict(zip(weights, case.numbered("w"), strict=True))
    values = run(Graph("tested", tuple(builder.nodes)), inputs, {}, given)
    np.testing.assert_allclose(values[value], case["y"], **EXACT)
    for name, gradient in wanted.items():
        np.testing.assert_allclose(values[found[name]], gradient, **EXACT, err_msg=name)


@pytest.mark.parametrize("case", [c for c in CASES if c.settings["weights"]], ids=named)
def test_weights_have_the_names_shapes_and_first_values_of_keras(case: Case) -> None:
    _, _, specs, _, _ = lowered(case)
    assert [[s.name, list(s.shape), s.trainable] for s in specs] == case.settings["weights"]
    for spec, limits in zip(specs, case.settings["first"], strict=True):
        first = draw(spec.initializer, spec.shape, np.random.default_rng(0))
        assert limits[0] <= first.min() and first.max() <= limits[1]
        assert (first.min() == first.max()) == (limits[0] == limits[1])


@pytest.mark.parametrize("case", [c for c in CASES if c.settings["layer"] == "standardize"], ids=named)
def test_what_standardize_learns_is_what_normalization_adapts_to(case: Case) -> None:
    x = case["x0"]
    mean, variance = moments(x, tuple(range(x.ndim - 2)))
    np.testing.assert_allclose(mean, case["w0"], **EXACT)
    np.testing.assert_allclose(variance, case["w1"], **EXACT)
