"""Losses and metrics: what they compute, when they refuse, the one axis of 1 that may be left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_graphs import Network, draw, f32, index, settled, truth, u8

from kdsl.graph.interpreter import run
from kdsl.graph.types import FLOAT_SCALAR, TensorType
from kdsl.ops.registry import Refused
from kdsl.passes.pipeline import optimise
from kdsl.training import LOSSES, METRICS

I32 = TensorType("i32", ())

REFUSED: list[tuple[str, TensorType, TensorType, str, str]] = [
    ("cross_entropy", f32(12), index(10), "E501", "{0} has 12 classes, {1} has 10"),
    ("cross_entropy", f32(12), f32(10), "E501", "{0} has 12 classes, {1} has 10"),
    (
        *("cross_entropy", f32(28, 10), index(10), "E502"),
        "{0} has a class for each of 28 rows, {1} has one for the whole sample",
    ),
    (
        *("cross_entropy", f32(28, 28, 10), index(10), "E502"),
        "{0} has a class for each of 28 x 28 rows, {1} has one for the whole sample",
    ),
    ("cross_entropy", f32(10), index(10, 5), "E510", "{0} [10] says one class, {1} has 5 of them"),
    (
        *("cross_entropy", f32(4, 10), index(10, 5), "E510"),
        "{0} [4, 10] has a class for each of [4] places, {1} for [5]",
    ),
    (
        "cross_entropy",
        f32(),
        index(10),
        "E510",
        "`cross_entropy` wants a score for each class, but {0} is a single number",
    ),
    (
        "cross_entropy",
        f32(1),
        index(2),
        "E510",
        "`cross_entropy` over one class has nothing to choose from: {0} is [1]",
    ),
    (
        "cross_entropy",
        f32(10),
        f32(),
        "E511",
        "`cross_entropy` wants the class of every answer, but {1} is a plain f32 number",
    ),
    (
        "cross_entropy",
        f32(10),
        I32,
        "E511",
        "`cross_entropy` wants the class of every answer, but {1} is a plain i32 number",
    ),
    ("cross_entropy", f32(4, 10), f32(5, 10), "E510", "{0} is 2 axes [4, 10], {1} is 2 axes [5, 10]"),
    (
        *("cross_entropy", u8(10), index(10), "E512"),
        "`cross_entropy` compares a prediction with a target, but {0} is u8[10]: data, not a prediction",
    ),
    ("mse", f32(8), f32(8, 8), "E510", "{0} is a vector [8], {1} is 2 axes [8, 8]"),
    ("mse", f32(8, 8), f32(8), "E510", "{0} is 2 axes [8, 8], {1} is a vector [8]"),
    ("mse", f32(3), f32(), "E510", "{0} is a vector [3], {1} is a single number"),
    ("mse", f32(3), f32(2), "E510", "{0} is a vector [3], {1} is a vector [2]"),
    ("mae", f32(1, 3), f32(3), "E510", "{0} is 2 axes [1, 3], {1} is a vector [3]"),
    ("huber", f32(10), index(10), "E511", "`huber` compares numbers, but {1} is a class: index(10)"),
    (
        "binary_cross_entropy",
        f32(),
        index(2),
        "E511",
        "`binary_cross_entropy` compares numbers, but {1} is a class: index(2)",
    ),
    ("binary_cross_entropy", f32(5), truth(), "E510", "{0} is a vector [5], {1} is a single number"),
    ("mse", FLOAT_SCALAR, f32(), "E512", "`mse` compares sample by sample, but {0} is one value for the whole batch"),
]


@pytest.mark.parametrize(("name", "prediction", "target", "code", "message"), REFUSED)
def test_refused(name: str, prediction: TensorType, target: TensorType, code: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        LOSSES[name].guard(settled(LOSSES[name], {}), prediction, target)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_top_k_of_too_few_classes() -> None:
    with pytest.raises(Refused, match="`k` is 5, but there are only 3 classes") as caught:
        METRICS["top_k"].guard(settled(METRICS["top_k"], {}), f32(3), index(3))
    assert (caught.value.code, caught.value.argument) == ("E513", "k")


def value_of(
    registry: Any, name: str, types: tuple[TensorType, TensorType], arrays: tuple[Any, Any], **given: Any
) -> Any:
    net = Network()
    p, t = net.input("p", types[0]), net.target("t", types[1])
    value = (net.loss if registry is LOSSES else net.metric)(name, p, t, **given)
    return run(net.graph(), {"p": arrays[0]}, {"t": arrays[1]})[value]


def log_softmax(x: np.ndarray) -> np.ndarray:
    return np.log(np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True))


def test_cross_entropy_of_index_and_one_hot() -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    one_hot = np.eye(4)[labels]
    for smoothing in (0.0, 0.2):
        wanted = -((one_hot * (1 - smoothing) + smoothing / 4) * log_softmax(x)).sum(axis=1).mean()
        types = (f32(4), index(4)), (f32(4), f32(4)), (f32(4), u8(4)), (f32(4), truth(4))
        for (p, t), target in zip(types, (labels, one_hot, one_hot.astype("u1"), one_hot.astype("u1")), strict=True):
            found = value_of(LOSSES, "cross_entropy", (p, t), (x, target), smoothing=smoothing)
            np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_losses_of_single_numbers() -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(0, 2, (5, 3)), rng.integers(0, 2, (5, 3))
    p = 1 / (1 + np.exp(-x))
    for smoothing in (0.0, 0.3):
        s = t * (1 - smoothing) + smoothing / 2
        wanted = -(s * np.log(p) + (1 - s) * np.log(1 - p)).mean()
        for type in (f32(3), truth(3)):
            found = value_of(LOSSES, "binary_cross_entropy", (f32(3), type), (x, t), smoothing=smoothing)
            np.testing.assert_allclose(found, wanted, rtol=1e-12)
    e = x - t
    table = [
        ("mse", {}, (e**2).mean()),
        ("mae", {}, abs(e).mean()),
        ("huber", {}, np.where(abs(e) <= 1, e**2 / 2, abs(e) - 0.5).mean()),
        ("huber", {"delta": 2.5}, np.where(abs(e) <= 2.5, e**2 / 2, 2.5 * abs(e) - 3.125).mean()),
    ]
    for name, given, wanted in table:
        np.testing.assert_allclose(value_of(LOSSES, name, (f32(3), f32(3)), (x, t), **given), wanted, rtol=1e-13)


SQUEEZED = [
    ("mse", f32(1), f32()),
    ("mse", f32(), f32(1)),
    ("mae", f32(3, 1), f32(3)),
    ("binary_cross_entropy", f32(1), truth()),
    ("binary_cross_entropy", f32(), truth(1)),
    ("cross_entropy", f32(4), index(4, 1)),
    ("cross_entropy", f32(3, 4), index(4, 3, 1)),
]


@pytest.mark.parametrize(("name", "prediction", "target"), SQUEEZED)
def test_a_last_axis_of_one_is_left_out(name: str, prediction: TensorType, target: TensorType) -> None:
    """And nothing is broadcast: the loss equals that of arrays of equal shapes."""
    rng = np.random.default_rng(2)
    x, t = draw(prediction, rng, 6), draw(target, rng, 6)
    found = value_of(LOSSES, name, (prediction, target), (x, t))
    if target.dtype == "index":
        t = t.reshape(x.shape[:-1])
        wanted = value_of(LOSSES, name, (prediction, index(4, *prediction.shape[:-1])), (x, t))
    else:
        flat = TensorType(target.dtype, (t[0].size,))
        wanted = value_of(LOSSES, name, (f32(t[0].size), flat), (x.reshape(6, -1), t.reshape(6, -1)))
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


FORMS = [
    (f32(4), index(4), "sparse_accuracy"),
    (f32(4), f32(4), "categorical_accuracy"),
    (f32(4), u8(4), "categorical_accuracy"),
    (f32(4), truth(4), "binary_accuracy"),
    (f32(1), f32(1), "binary_accuracy"),
    (f32(1), f32(), "binary_accuracy"),
    (f32(), f32(), "binary_accuracy"),
    (f32(), truth(1), "binary_accuracy"),
    (f32(3, 4), index(4, 3), "sparse_accuracy"),
]


@pytest.mark.parametrize(("prediction", "target", "form"), FORMS)
def test_accuracy_takes_its_form_from_the_types(prediction: TensorType, target: TensorType, form: str) -> None:
    net = Network()
    value = net.metric("accuracy", net.input("p", prediction), net.target("t", target))
    assert net.graph()[value].op == form


def test_accuracies() -> None:
    x = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0], [0.0, 1.0, 2.0], [9.0, 0.0, 1.0]])
    assert value_of(METRICS, "accuracy", (f32(3), index(3)), (x, np.array([1, 0, 2, 1]))) == 0.75
    assert value_of(METRICS, "accuracy", (f32(3), f32(3)), (x, np.eye(3)[[1, 0, 2, 1]])) == 0.75
    logits, bits = np.array([0.0, 0.1, -3.0, 2.0]), np.array([1, 1, 0, 1])
    assert value_of(METRICS, "accuracy", (f32(), truth()), (logits, bits)) == 0.75
    assert value_of(METRICS, "accuracy", (f32(1), f32()), (logits[:, None], bits)) == 0.75


def test_top_k_counts_ties_for_the_model_and_nan_against_it() -> None:
    x = np.array([[3.0, 2.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0], [np.nan, 1.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0]])
    found = [value_of(METRICS, "top_k", (f32(4), index(4)), (x, np.array([1, 2, 0, 3])), k=k) for k in (1, 2, 3, 4)]
    assert found == [0.25, 0.5, 0.5, 0.75]
    one_hot = np.eye(4)[[1, 2, 0, 3]]
    assert value_of(METRICS, "top_k", (f32(4), f32(4)), (x, one_hot), k=2) == 0.5


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_metrics_keep_the_scalar_type(name: str, dtype: str) -> None:
    net = Network()
    value = net.metric(name, net.input("p", f32(6)), net.target("t", f32(6)))
    rng = np.random.default_rng(0)
    values = run(net.graph(), {"p": rng.normal(size=(5, 6))}, {"t": rng.normal(size=(5, 6))}, dtype=dtype)
    assert values[value].dtype == dtype and values[value].shape == ()


LOSS_TYPES = [
    *[(name, f32(3), f32(3), {}) for name in ("mse", "mae", "huber", "binary_cross_entropy", "cross_entropy")],
    ("cross_entropy", f32(3), index(3), {}),
    ("cross_entropy", f32(2, 3), index(3, 2), {"smoothing": 0.1}),
    ("binary_cross_entropy", f32(1), truth(), {"smoothing": 0.1}),
    ("mse", f32(1), f32(), {}),
    ("huber", f32(2, 2), f32(2, 2), {"delta": 0.5}),
]


@pytest.mark.parametrize("canonical", [True, False])
@pytest.mark.parametrize(("name", "prediction", "target", "given"), LOSS_TYPES)
def test_gradient_of_the_whole_loss(
    name: str, prediction: TensorType, target: TensorType, given: dict[str, float], canonical: bool
) -> None:
    """Every element of the prediction, by central differences; both forms of cross-entropy."""
    net = Network()
    shift = net.weight("shift", *prediction.shape)
    moved = net.op("add", net.input("p", prediction), shift)
    net.loss(name, moved, net.target("t", target), **given)
    graph = optimise(net.graph(), without=() if canonical else ("canonicalize",), verify_each=True)
    rng = np.random.default_rng(8)
    x, t, zero = draw(prediction, rng, 4), draw(target, rng, 4), np.zeros(prediction.shape)
    if name == "cross_entropy" and target.dtype == "f32":
        t = np.abs(t)
    (gradient,) = graph.gradients

    def loss(at: np.ndarray) -> float:
        return float(run(graph, {"p": x}, {"t": t}, {"shift": at})[graph.loss])

    found = run(graph, {"p": x}, {"t": t}, {"shift": zero})[gradient[1]]
    for place in np.ndindex(zero.shape):
        step = np.zeros_like(zero)
        step[place] = 1e-6
        np.testing.assert_allclose(found[place], (loss(step) - loss(-step)) / 2e-6, rtol=1e-6, atol=1e-9)


def test_gradient_flows_into_a_computed_target() -> None:
    """A target may be computed by the network itself, as in distillation; both forms of cross-entropy."""
    for without in ((), ("canonicalize",)):
        net = Network()
        w = net.weight("w", 3)
        x = net.input("x", f32(3))
        net.loss("cross_entropy", x, net.layer("softmax", net.op("multiply", x, w)), smoothing=0.1)
        graph = optimise(net.graph(), without, verify_each=True)
        ((_, gradient),) = graph.gradients
        data, at = np.random.default_rng(5).normal(size=(4, 3)), np.array([0.5, -1.0, 2.0])
        found = run(graph, {"x": data}, weights={"w": at})[gradient]
        for i in range(3):
            step = np.eye(3)[i] * 1e-6
            up, down = (run(graph, {"x": data}, weights={"w": at + s})[graph.loss] for s in (step, -step))
            np.testing.assert_allclose(found[i], (up - down) / 2e-6, rtol=1e-6, atol=1e-9)
