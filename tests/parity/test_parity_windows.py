"""Convolutions, pools and batch normalisation against Keras in float64: values, gradients, moving statistics, weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixture_file import Case, read
from graphs import PLACE, backward, with_defaults
from test_parity_light import lowered, named

from kdsl.graph import Graph
from kdsl.graph.builder import Builder
from kdsl.graph.interpreter import run
from kdsl.graph.types import TensorType
from kdsl.ops import LAYERS, adaptive_pooling, conv_layers, frames, group_norm, pooling, prelu, resizing
from kdsl.passes.expand_batch_norm import expanded
from kdsl.training.initializers import draw

CASES = read("windows")
NORMS = read("batch_norm")
EXACT = {"rtol": 1e-11, "atol": 1e-11}


def test_every_layer_is_compared() -> None:
    modules = (adaptive_pooling, conv_layers, frames, group_norm, pooling, prelu, resizing)
    files = {module.__name__ for module in modules}
    assert {case.settings["layer"] for case in CASES} == {n for n, c in LAYERS.items() if c.__module__ in files}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_values_and_gradients(case: Case) -> None:
    builder, _, _, value, weights = lowered(case)
    wanted = {"x0": case["dx0"], **dict(zip(weights, case.numbered("dw"), strict=True))}
    found = {name: backward(builder, value, "upstream", name) for name in wanted}
    given = dict(zip(weights, case.numbered("w"), strict=True))
    inputs = {"x0": case["x0"], "upstream": case["upstream"]}
    values = run(Graph("tested", tuple(builder.nodes)), inputs, {}, given)
    np.testing.assert_allclose(values[value], case["y"], **EXACT)
    for name, gradient in wanted.items():
        np.testing.assert_allclose(values[found[name]], gradient, **EXACT, err_msg=name)


@pytest.mark.parametrize("case", [c for c in CASES if c.settings["weights"]], ids=named)
def test_weights_have_the_names_and_shapes_of_keras(case: Case) -> None:
    _, _, specs, _, _ = lowered(case)
    assert [[s.name, list(s.shape), s.trainable] for s in specs] == case.settings["weights"]


@pytest.mark.parametrize("case", [c for c in CASES if c.settings["spread"]], ids=named)
def test_first_values_spread_as_those_of_keras(case: Case) -> None:
    """What an initializer takes for the fans of a kernel: for depthwise and transposed ones it is not what one expects."""
    _, _, specs, _, _ = lowered(case)
    rng = np.random.default_rng(0)
    for spec, wanted in zip(specs, case.settings["spread"], strict=True):
        found = np.concatenate([draw(spec.initializer, spec.shape, rng).ravel() for _ in range(40)]).std()
        assert found == pytest.approx(wanted, rel=0.07), spec.name


# -- batch normalisation -------------------------------------------------------------------------------


def normalised(case: Case) -> tuple[Builder, str]:
    """x -> batch_norm, beside the gradient that comes in."""
    cls = LAYERS["batch_norm"]
    arguments = with_defaults(cls, case.settings["arguments"])
    builder = Builder()
    with builder.at(PLACE, layer="tested"):
        type = TensorType("f32", case["x0"].shape[1:])
        x = builder.source("input", "x", type, {"name": "x"})
        specs = cls.weights(arguments, [type])
        assert [[s.name, list(s.shape), s.trainable] for s in specs] == case.settings["weights"]
        made = {}
        for spec in specs:
            trainable = {"trainable": spec.trainable and not case.settings["frozen"]}
            kind = TensorType("f32", spec.shape, batched=False)
            made[spec.name] = builder.source("weight", f"tested.{spec.name}", kind, trainable)
        value = cls.lower(builder, arguments, [x], made)
        assert isinstance(value, str)
        builder.source("input", "upstream", type, {"name": "upstream"})
    return builder, value


def weights_of(case: Case) -> dict[str, np.ndarray]:
    return {f"tested.{key[2:]}": value for key, value in case.arrays.items() if key.startswith("w/")}


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("case", NORMS, ids=named)
def test_batch_norm(case: Case, training: bool) -> None:
    builder, value = normalised(case)
    graph = expanded(Graph("tested", tuple(builder.nodes)), training)
    prefix = "" if training else "inference/"
    wanted = {"x": case[f"{prefix}dx"]}
    if training:
        wanted |= {f"tested.{key[2:]}": array for key, array in case.arrays.items() if key.startswith("d/")}
    builder = Builder(graph.nodes)
    found = {name: backward(builder, value, "upstream", name) for name in wanted}
    inputs = {"x": case["x0"], "upstream": case["upstream"]}
    values = run(replace(graph, nodes=tuple(builder.nodes)), inputs, {}, weights_of(case))
    np.testing.assert_allclose(values[value], case[f"{prefix}y"], **EXACT)
    for name, gradient in wanted.items():
        np.testing.assert_allclose(values[found[name]], gradient, **EXACT, err_msg=name)


@pytest.mark.parametrize("case", NORMS, ids=named)
def test_moving_statistics(case: Case) -> None:
    graph = expanded(Graph("tested", tuple(normalised(case)[0].nodes)), training=True)
    assert bool(graph.updates) != case.settings["frozen"]
    weights = weights_of(case)
    for step, x in enumerate(case.numbered("x"), 1):
        values = run(graph, {"x": x, "upstream": case["upstream"]}, {}, weights)
        weights |= {weight: values[value] for weight, value in graph.updates}
        for name in ("moving_mean", "moving_variance") if f"moved{step}/moving_mean" in case.arrays else ():
            np.testing.assert_allclose(weights[f"tested.{name}"], case[f"moved{step}/{name}"], **EXACT)
