"""Activations, layers, losses and metrics against Keras: the ops' NumPy references and gradients, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from fixture_file import Case, read
from graphs import backward, build, layer, run, sample_type, with_defaults

from kdsl.graph.builder import Builder
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops import LAYERS
from kdsl.ops.function import Function
from kdsl.ops.operators import binary
from kdsl.ops.reduction_functions import OverAxes, Place
from kdsl.ops.steps import Extreme
from kdsl.training.losses import LOSSES
from kdsl.training.metrics import METRICS

EXACT = {"rtol": 1e-12, "atol": 1e-13}


def named(case: Case) -> str:
    return case.name


def test_every_activation_of_keras_is_compared() -> None:
    wanted = {
        *("linear", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "tanh", "sigmoid"),
        *("hard_sigmoid", "hard_silu", "mish", "exponential", "relu6", "softmax", "log_softmax"),
    }
    assert {case.settings["layer"] for case in read("activations")} == wanted


@pytest.mark.parametrize("case", read("activations"), ids=named)
def test_activation(case: Case) -> None:
    types = {"x": sample_type(case["x"]), "upstream": sample_type(case["upstream"])}
    builder, y = build(types, lambda b: layer(b, case.settings["layer"], case.settings["arguments"], ["x"]))
    dx = backward(builder, y, "upstream", "x")
    values = run(builder, {"x": case["x"], "upstream": case["upstream"]})
    np.testing.assert_allclose(values[y], case["y"], **EXACT)
    np.testing.assert_allclose(values[dx], case["dx"], **EXACT)


@pytest.mark.parametrize("case", read("functions"), ids=named)
def test_function(case: Case) -> None:
    """Functions of tensors and operators, with the gradient of every input."""
    inputs = {f"x{number}": array for number, array in enumerate(case.numbered("x"))}
    types = {name: function_type(array) for name, array in inputs.items()}
    given = dict(inputs)
    if "upstream" in case.arrays:
        types["upstream"] = sample_type(case["upstream"])
        given["upstream"] = case["upstream"]
    name, arguments = case.settings["function"], case.settings["arguments"]

    def add(builder: Builder) -> str:
        if name in LAYERS:
            return layer(builder, name, arguments, list(inputs))
        return binary(builder, name, *inputs)

    builder, y = build(types, add)
    wanted = {key: case.arrays[key] for key in case.arrays if key.startswith("dx")}
    gradients = {key: backward(builder, y, "upstream", key[1:]) for key in wanted if name not in FLAT}
    values = run(builder, given)
    np.testing.assert_allclose(values[y], case["y"], **EXACT)
    for key, gradient in wanted.items():
        found = values[gradients[key]] if key in gradients else 0.0
        np.testing.assert_allclose(found, gradient, **EXACT, err_msg=key)


def test_every_function_of_one_value_is_compared() -> None:
    """Those that Keras has too."""
    compared_with = {case.settings["function"] for case in read("functions")}
    ours = {name for name, cls in LAYERS.items() if issubclass(cls, (Function, OverAxes, Place, Extreme))}
    assert ours - compared_with == {"stop_gradient"}


FLAT = ("sign", "floor", "ceil", "round")


def function_type(array: np.ndarray) -> TensorType:
    return sample_type(array) if array.dtype.kind == "f" else TensorType("bool", array.shape[1:])


@pytest.mark.parametrize("case", read("layers"), ids=named)
def test_layer_without_weights(case: Case) -> None:
    types = {"x": sample_type(case["x"])}
    builder, y = build(types, lambda b: layer(b, case.settings["layer"], case.settings["arguments"], ["x"]))
    np.testing.assert_allclose(run(builder, {"x": case["x"]})[y], case["y"], **EXACT)


def compared(case: Case, declared: type) -> tuple[Builder, str, dict[str, np.ndarray]]:
    """The graph of a loss or metric on the case's prediction and target, and its inputs."""
    inputs = {"prediction": case["prediction"], "target": case["target"], "upstream": np.float64(1.0)}
    types = {name: sample_type(inputs[name], case["prediction"].shape[-1]) for name in ("prediction", "target")}
    settings = dict(case.settings["arguments"])
    if settings.pop("binary", False):  # in kdsl the target's type says so
        inputs["target"] = case["target"].astype(np.uint8)
        types["target"] = TensorType("bool", case["target"].shape[1:])
    arguments = with_defaults(declared, settings)
    declared.guard(arguments, types["prediction"], types["target"])
    types["upstream"] = FLOAT_SCALAR
    builder, value = build(types, lambda b: declared.lower(b, arguments, "prediction", "target"))
    return builder, value, inputs


@pytest.mark.parametrize("case", read("losses"), ids=named)
def test_loss(case: Case) -> None:
    builder, loss, inputs = compared(case, LOSSES[case.settings["loss"]])
    gradient = backward(builder, loss, "upstream", "prediction")
    values = run(builder, inputs)
    np.testing.assert_allclose(values[loss], case["loss"], **EXACT)
    np.testing.assert_allclose(values[gradient], case["dprediction"], **EXACT)


@pytest.mark.parametrize("case", [c for c in read("losses") if c.settings["loss"] == "cross_entropy"], ids=named)
def test_fused_cross_entropy(case: Case) -> None:
    """The one op that the compiler makes of log_softmax and the likelihood."""
    op = "softmax_cross_entropy" if case["target"].ndim == case["prediction"].ndim else "sparse_softmax_cross_entropy"
    smoothing = case.settings["arguments"].get("smoothing", 0.0)
    types = {
        "prediction": sample_type(case["prediction"]),
        "target": sample_type(case["target"], case["prediction"].shape[-1]),
        "upstream": FLOAT_SCALAR,
    }
    builder, loss = build(types, lambda b: b.add(op, ["prediction", "target"], {"smoothing": smoothing}))
    gradient = backward(builder, loss, "upstream", "prediction")
    values = run(builder, {"prediction": case["prediction"], "target": case["target"], "upstream": np.float64(1.0)})
    np.testing.assert_allclose(values[loss], case["loss"], **EXACT)
    np.testing.assert_allclose(values[gradient], case["dprediction"], **EXACT)


@pytest.mark.parametrize("case", read("metrics"), ids=named)
def test_metric(case: Case) -> None:
    builder, value, inputs = compared(case, METRICS[case.settings["metric"]])
    np.testing.assert_allclose(run(builder, inputs)[value], case["value"], **EXACT)


@pytest.mark.parametrize("case", [c for c in read("metrics") if c.name.startswith("accuracy_binary_at")], ids=named)
def test_accuracy_of_one_logit_is_binary_for_a_float_target_too(case: Case) -> None:
    """Logits of exactly 0, where the probability is one half, count as "no"."""
    assert (case["prediction"] == 0.0).any()
    unmarked = Case(case.name, {**case.settings, "arguments": {}}, case.arrays)
    builder, value, inputs = compared(unmarked, METRICS["accuracy"])
    np.testing.assert_allclose(run(builder, inputs)[value], case["value"], **EXACT)
