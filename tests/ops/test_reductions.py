"""Functions over axes, against NumPy; ties, precision, and axes that are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, draw, f32, index, settled, truth, u8

from kdsl.graph import Graph, TensorType
from kdsl.graph.interpreter import run
from kdsl.ops import LAYERS
from kdsl.ops.registry import Refused
from kdsl.passes.differentiate import Differentiate

NUMPY: dict[str, Callable[..., Any]] = {
    **{"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "var": np.var, "std": np.std},
    **{"any": np.any, "all": np.all},
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
}
AXES = [
    (f32(4), (0,)),
    (f32(2, 3), (-1,)),
    (f32(2, 3, 2), (0, -1)),
    (f32(2, 3), None),
    (f32(), None),
    (f32(2, 1), (1,)),
]


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(("type", "axes"), AXES, ids=str)
def test_against_numpy(name: str, keep: bool, batched: bool, type: TensorType, axes: tuple[int, ...] | None) -> None:
    net = Network()
    x = net.input("x", type) if batched else net.weight("x", *type.shape)
    y = net.layer(name, x, axis=axes, keep=keep)
    rows = draw(type, np.random.default_rng(1), 4)
    if name in ("any", "all"):
        rows = np.where(rows > 0.3, rows, 0.0)
    given = ({"x": rows}, {}, {}) if batched else ({}, {}, {"x": rows[0]})
    found = run(net.graph(), *given)[y]
    wanted = np.array([NUMPY[name](row, axis=axes, keepdims=keep) for row in rows])
    assert net.build.type_of(y).shape == wanted.shape[1:] == found.shape[int(batched) :]
    np.testing.assert_allclose(found, wanted if batched else wanted[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize(
    ("type", "axis"), [(f32(5), 0), (f32(2, 3), 0), (f32(2, 3), -1), (f32(2, 3), None), (f32(), None)]
)
def test_places(name: str, type: TensorType, axis: int | None) -> None:
    net = Network()
    y = net.layer(name, net.input("x", type), axis=axis)
    x = draw(type, np.random.default_rng(2), 4)
    found = run(net.graph(), {"x": x})[y]
    np.testing.assert_array_equal(found, np.array([getattr(np, name)(row, axis=axis) for row in x]))
    assert found.dtype == np.int32 and net.build.type_of(y).dtype == "i32"


def test_the_first_of_equal_places_and_the_first_nan() -> None:
    net = Network()
    x = net.input("x", f32(4))
    high, low = net.layer("argmax", x), net.layer("argmin", x)
    rows = np.array([[1.0, 3.0, 3.0, 0.0], [0.0, np.nan, 5.0, np.nan], [2.0, 0.0, 0.0, 2.0]])
    values = run(net.graph(), {"x": rows})
    np.testing.assert_array_equal(values[high], [1, 1, 0])
    np.testing.assert_array_equal(values[low], [3, 1, 1])


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@pytest.mark.parametrize("type", [u8(3), truth(3)], ids=str)
def test_integers_and_bools_are_counted_as_numbers(name: str, type: TensorType) -> None:
    net = Network()
    y = net.layer(name, net.input("x", type))
    x = draw(type, np.random.default_rng(5), 4)
    assert net.build.type_of(y) == f32()
    np.testing.assert_allclose(run(net.graph(), {"x": x})[y], getattr(np, name)(x.astype(float), axis=1))


def gradient_of(name: str, x: np.ndarray, **settings: Any) -> np.ndarray:
    """The gradient of the mean over a batch of one, of a weight that a function reduces to one number."""
    net = Network()
    y = net.layer(name, net.weight("x", *x.shape), **settings)
    graph = Differentiate().run(Graph("net", tuple(net.build.nodes), loss=y))
    return np.asarray(run(graph, {}, {}, {"x": x})[graph.gradients[0][1]])


def test_equal_extremes_share_the_gradient() -> None:
    x = np.array([[2.0, 5.0], [5.0, 1.0]])
    np.testing.assert_array_equal(gradient_of("max", x), [[0.0, 0.5], [0.5, 0.0]])
    np.testing.assert_array_equal(gradient_of("min", x), [[0.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(gradient_of("max", np.ones(3)), np.full(3, 1 / 3))


def test_logsumexp_is_stable_and_its_gradient_is_softmax() -> None:
    x = np.array([1000.0, 1001.0, -1000.0])
    net = Network()
    y = net.layer("logsumexp", net.weight("x", 3))
    np.testing.assert_allclose(run(net.graph(), {}, {}, {"x": x})[y], 1001.0 + np.log1p(np.exp(-1.0)))
    raised = np.exp(x - 1001.0)
    np.testing.assert_allclose(gradient_of("logsumexp", x), raised / raised.sum())


def test_variance_does_not_cancel() -> None:
    """The mean of squares minus the square of the mean would be 0 here, or worse."""
    net = Network()
    y = net.layer("var", net.input("x", f32(3)))
    x = np.array([[1e5, 1e5 + 1.0, 1e5 + 2.0]], "float32")
    np.testing.assert_allclose(run(net.graph(), {"x": x}, dtype="float32")[y], [2 / 3], rtol=1e-6)


REFUSED: list[tuple[str, dict[str, Any], TensorType, str, str, str]] = [
    (
        *("mean", {"axis": (2,)}, f32(3, 4), "E411", "there is no axis 2 in [3, 4]"),
        "axes go from 0 to 1, or from -1 (the last) to -2; the batch is not counted",
    ),
    (
        *("sum", {"axis": (0, -4)}, f32(3, 4, 5), "E411", "there is no axis -4 in [3, 4, 5]"),
        "axes go from 0 to 2, or from -1 (the last) to -3; the batch is not counted",
    ),
    (
        *("argmax", {"axis": 1}, f32(3), "E411", "there is no axis 1 in [3]"),
        "the only axis is 0, or -1; the batch is not counted",
    ),
    (
        *("max", {"axis": (0,)}, f32(), "E411", "`max` gets a single number, which has no axis 0"),
        "the batch is not counted",
    ),
    ("std", {"axis": (1, -1)}, f32(3, 4), "E411", "axis -1 of [3, 4] is named twice", ""),
    (
        *("sum", {}, index(9, 4), "E405", "`sum` computes with numbers, but gets classes: index(9)[4]"),
        "declare the input `i32` if its values are quantities; a class has no size to compute with",
    ),
    (
        *("argmin", {}, index(9, 4), "E405", "`argmin` computes with numbers, but gets classes: index(9)[4]"),
        "declare the input `i32` if its values are quantities; a class has no size to compute with",
    ),
    (
        *("broadcast_to", {"shape": (2, 4)}, f32(3), "E402", "[3] cannot be repeated to [2, 4]"),
        "counted from the last axis, a size is the same as before, or was 1",
    ),
    (
        *(
            "clip",
            {"low": 1.0, "high": -1.0},
            f32(3),
            "E307",
            "nothing lies between 1 and -1: `low` is larger than `high`",
        ),
        "`clip(low = -1, high = 1)`",
    ),
]


@pytest.mark.parametrize(("name", "given", "type", "code", "message", "help"), REFUSED)
def test_refused(name: str, given: dict[str, Any], type: TensorType, code: str, message: str, help: str) -> None:
    with pytest.raises(Refused) as caught:
        LAYERS[name].guard(settled(LAYERS[name], given), [type])
    assert (caught.value.code, caught.value.message, caught.value.help) == (code, message, help)
    assert caught.value.argument is None or caught.value.argument in given
