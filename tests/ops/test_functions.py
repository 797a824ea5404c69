"""Functions of every element: values and gradients at the edges of their domains, at ties, and through the layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, f32, index, settled, truth

from kdsl.graph import Graph
from kdsl.graph.interpreter import run
from kdsl.ops import LAYERS
from kdsl.ops.function import Function
from kdsl.ops.reduction_functions import OverAxes, Place
from kdsl.ops.registry import Refused
from kdsl.passes.differentiate import Differentiate

INF, NAN = math.inf, math.nan


def at(name: str, *numbers: float, **settings: Any) -> tuple[float, list[float]]:
    """A layer's value at some numbers, and its derivative by each of them (0 where none flows back)."""
    net = Network()
    weights = [net.weight(f"w{i}") for i, _ in enumerate(numbers)]
    value = net.layer(name, *weights, **settings)
    graph = Differentiate().run(Graph("net", tuple(net.build.nodes), loss=value))
    with np.errstate(all="ignore"):
        values = run(graph, {}, {}, dict(zip(weights, numbers, strict=True)))
    gradients = dict(graph.gradients)
    return float(values[value]), [float(values[gradients[w]]) if w in gradients else 0.0 for w in weights]


EDGES: list[tuple[str, tuple[float, ...], float, list[float]]] = [
    ("exp", (0.0,), 1.0, [1.0]),
    ("exp", (-INF,), 0.0, [0.0]),
    ("expm1", (1e-12,), 1.0000000000005e-12, [1.000000000001]),
    ("log", (0.0,), -INF, [INF]),
    ("log", (-1.0,), NAN, [-1.0]),
    ("log", (2.0,), math.log(2), [0.5]),
    ("log1p", (-1.0,), -INF, [INF]),
    ("log1p", (1e-12,), 9.999999999995e-13, [0.999999999999]),
    ("sqrt", (0.0,), 0.0, [INF]),
    ("sqrt", (4.0,), 2.0, [0.25]),
    ("sqrt", (-1.0,), NAN, [NAN]),
    ("rsqrt", (4.0,), 0.5, [-0.0625]),
    ("rsqrt", (0.0,), INF, [-INF]),
    ("square", (-3.0,), 9.0, [-6.0]),
    ("sin", (0.0,), 0.0, [1.0]),
    ("cos", (0.0,), 1.0, [0.0]),
    ("erf", (0.0,), 0.0, [2 / math.sqrt(math.pi)]),
    ("abs", (0.0,), 0.0, [0.0]),
    ("abs", (-2.0,), 2.0, [-1.0]),
    ("sign", (0.0,), 0.0, [0.0]),
    ("sign", (-7.0,), -1.0, [0.0]),
    ("floor", (-0.5,), -1.0, [0.0]),
    ("ceil", (-0.5,), -0.0, [0.0]),
    ("round", (2.5,), 2.0, [0.0]),
    ("round", (3.5,), 4.0, [0.0]),
    ("round", (-0.5,), -0.0, [0.0]),
    ("stop_gradient", (3.0,), 3.0, [0.0]),
    ("power", (2.0, 3.0), 8.0, [12.0, 8 * math.log(2)]),
    ("power", (0.0, 2.0), 0.0, [0.0, 0.0]),
    ("power", (0.0, 1.0), 0.0, [1.0, 0.0]),
    ("power", (0.0, 0.0), 1.0, [0.0, 0.0]),
    ("power", (-2.0, 2.0), 4.0, [-4.0, 0.0]),
    ("power", (-2.0, 0.5), NAN, [NAN, 0.0]),
    ("power", (0.0, -1.0), INF, [-INF, 0.0]),
    ("maximum", (1.0, 2.0), 2.0, [0.0, 1.0]),
    ("maximum", (2.0, 2.0), 2.0, [0.5, 0.5]),
    ("maximum", (NAN, 2.0), NAN, [0.0, 0.0]),
    ("minimum", (1.0, 2.0), 1.0, [1.0, 0.0]),
    ("minimum", (2.0, 2.0), 2.0, [0.5, 0.5]),
    ("maximum", (1.0, 5.0, 5.0), 5.0, [0.0, 0.5, 0.5]),
    ("minimum", (1.0, 5.0, 0.0), 0.0, [0.0, 0.0, 1.0]),
]


@pytest.mark.parametrize(("name", "numbers", "value", "slopes"), EDGES, ids=str)
def test_edges(name: str, numbers: tuple[float, ...], value: float, slopes: list[float]) -> None:
    found, gradients = at(name, *numbers)
    np.testing.assert_allclose(found, value, rtol=1e-15)
    assert math.copysign(1.0, found) == math.copysign(1.0, value) or math.isnan(value)
    np.testing.assert_allclose(gradients, slopes, rtol=1e-14)


@pytest.mark.parametrize(
    ("x", "y", "slope"), [(-2.0, -1.0, 0.0), (-1.0, -1.0, 1.0), (0.5, 0.5, 1.0), (1.0, 1.0, 1.0), (3.0, 1.0, 0.0)]
)
def test_clip_lets_through_at_its_bounds(x: float, y: float, slope: float) -> None:
    """As PyTorch and TensorFlow do."""
    assert at("clip", x, low=-1.0, high=1.0) == (y, [slope])


def test_every_function_keeps_nan() -> None:
    for name in (
        "exp",
        "expm1",
        "log",
        "log1p",
        "sqrt",
        "rsqrt",
        "square",
        "sin",
        "cos",
        "erf",
        "abs",
        "sign",
        "round",
    ):
        assert math.isnan(at(name, NAN)[0]), name
    assert math.isnan(at("clip", NAN, low=0.0, high=1.0)[0])


def test_where_sends_the_gradient_to_the_side_that_was_chosen() -> None:
    net = Network()
    seen, x, w = net.input("seen", truth(3)), net.input("x", f32(2, 3)), net.weight("w", 3)
    y = net.layer("where", seen, x, w)
    assert net.build.type_of(y) == f32(2, 3)
    with net._at(""):
        total = net.build.add("mean", [net.build.add("multiply", [y, net.build.constant(6.0)])])
    graph = Differentiate().run(Graph("net", tuple(net.build.nodes), loss=total))
    given = {"seen": np.array([[1, 0, 0], [1, 1, 0]], "u1"), "x": np.zeros((2, 2, 3))}
    values = run(graph, given, {}, {"w": np.array([5.0, 6.0, 7.0])})
    np.testing.assert_array_equal(values[y][0, 0], [0.0, 6.0, 7.0])
    np.testing.assert_array_equal(values[dict(graph.gradients)["w"]], [0.0, 1.0, 2.0])


def test_the_gradient_of_a_branch_that_was_not_chosen_does_not_spoil_the_other() -> None:
    """The derivative of sqrt at 0 is infinite; where the square root was not chosen, its share is 0 * inf."""
    net = Network()
    w = net.weight("w", 2)
    safe = net.layer("where", net.op("greater", w, net.number(0.0)), w, net.number(1.0))
    y = net.layer("where", net.op("greater", w, net.number(0.0)), net.layer("sqrt", safe), net.number(0.0))
    total = net.op("mean", y)
    graph = Differentiate().run(Graph("net", tuple(net.build.nodes), loss=total))
    values = run(graph, {}, {}, {"w": np.array([4.0, 0.0])})
    np.testing.assert_allclose(values[dict(graph.gradients)["w"]], [0.125, 0.0])


def test_several_inputs_make_a_chain_called_by_its_last() -> None:
    net = Network()
    values = [net.input(name, f32(2, 3)) for name in "abc"]
    assert net.layer("maximum", *values, net.input("d", f32(3))) == "maximum"
    assert [(n.name, n.op) for n in net.build.nodes if n.inputs] == [
        ("maximum.maximum", "maximum"),
        ("maximum.maximum_2", "maximum"),
        ("d.reshape", "reshape"),
        ("maximum", "maximum"),
    ]


@pytest.mark.parametrize("name", [n for n, cls in LAYERS.items() if issubclass(cls, (Function, OverAxes, Place))])
def test_functions_of_one_value_take_bools_and_refuse_classes(name: str) -> None:
    cls = LAYERS[name]
    arguments = settled(cls, {"low": 0.0, "high": 1.0} if name == "clip" else {})
    net = Network()
    value = net.layer(name, net.input("x", truth(3)), **arguments)
    wanted = {"any": "bool", "all": "bool", "argmax": "i32", "argmin": "i32"}
    assert cls.function and net.build.type_of(value).dtype == wanted.get(name, "f32")
    with pytest.raises(Refused) as caught:
        cls.guard(arguments, [index(9, 3)])
    assert caught.value.code == "E405" and f"`{name}`" in caught.value.message


def test_the_condition_of_where_is_a_condition() -> None:
    net = Network()
    x = net.input("x", f32(3))
    with net._at(""), pytest.raises(Refused) as caught:
        LAYERS["where"].lower(net.build, {}, [x, x, x], {})
    assert (caught.value.code, caught.value.message, caught.value.help) == (
        "E416",
        "the first input of `where` is a condition, but gets numbers: f32[3]",
        "compare first, as in `x > 0`",
    )
