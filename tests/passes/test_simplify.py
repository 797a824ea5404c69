"""Arithmetic made cheaper: what becomes what, and that the numbers stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from small_graphs import Network, data_for, f32, index

from kdsl.graph import Graph
from kdsl.graph.interpreter import run
from kdsl.graph.verify import verify
from kdsl.passes.common_subexpressions import CommonSubexpressions
from kdsl.passes.dead_code import DeadCode
from kdsl.passes.fold_constants import FoldConstants
from kdsl.passes.simplify import Simplify


def made(net: Network, value: str) -> Graph:
    """The graph of one value, simplified; its numbers are those of the graph as it was."""
    net.output("y", value)
    before = net.graph()
    after = Simplify().run(before)
    verify(after, "forward")
    data = data_for(before)
    floats = {node.name for node in before.of("input") if node.type.dtype == "f32"}
    inputs = {n: np.absolute(array) + 0.5 if n in floats else array for n, array in data.inputs.items()}
    numbers = [run(g, inputs, {}, data.weights)[g.outputs[0][1]] for g in (before, after)]
    np.testing.assert_allclose(*numbers, rtol=1e-13)
    return DeadCode().run(after)


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes if node.op not in ("input", "target", "weight", "constant")]


@pytest.mark.parametrize(
    ("exponent", "wanted"),
    [
        (2.0, ["square"]),
        (0.5, ["sqrt"]),
        (-0.5, ["rsqrt"]),
        (-1.0, ["divide"]),
        (3.0, ["square", "multiply"]),
        (1.5, ["power"]),
        (0.0, ["power"]),
    ],
)
def test_powers(exponent: float, wanted: list[str]) -> None:
    net = Network()
    graph = made(net, net.op("power", net.input("x", f32(3)), net.number(exponent)))
    assert ops(graph) == wanted and graph.outputs == (("y", "power"),)


def test_a_power_of_a_vector_stays() -> None:
    net = Network()
    assert ops(made(net, net.op("power", net.input("x", f32(2)), net.number((2.0, 2.0))))) == ["power"]


PAIRS: list[tuple[Callable[[Network, str, str], str], list[str]]] = [
    (lambda net, x, z: net.op("multiply", x, x), ["square"]),
    (lambda net, x, z: net.op("add", x, net.op("negative", z)), ["subtract"]),
    (lambda net, x, z: net.op("add", net.op("negative", x), z), ["subtract"]),
    (lambda net, x, z: net.op("subtract", x, net.op("negative", z)), ["add"]),
    (lambda net, x, z: net.op("subtract", net.op("negative", x), z), ["negative", "subtract"]),
    (lambda net, x, z: net.op("divide", net.number(1.0), net.op("sqrt", x)), ["rsqrt"]),
    (lambda net, x, z: net.op("divide", net.number(2.0), net.op("sqrt", x)), ["sqrt", "divide"]),
    (lambda net, x, z: net.op("divide", x, z), ["divide"]),
]


@pytest.mark.parametrize(("write", "wanted"), PAIRS)
def test_pairs(write: Callable[[Network, str, str], str], wanted: list[str]) -> None:
    net = Network()
    x, z = net.input("x", f32(2, 3)), net.input("z", f32(2, 3))
    assert ops(made(net, write(net, x, z))) == wanted


@pytest.mark.parametrize(
    ("op", "wanted", "settings"),
    [
        ("negative_log_likelihood", "sparse_negative_log_likelihood", {"smoothing": 0.1}),
        ("categorical_accuracy", "sparse_accuracy", {}),
        ("categorical_top_k", "sparse_top_k", {"k": 2}),
    ],
)
def test_a_one_hot_vector_is_compared_with_as_a_class(op: str, wanted: str, settings: dict[str, float]) -> None:
    """Where the vector has a place for each class and no more."""
    net = Network()
    scores, label = net.input("x", f32(2, 4)), net.input("k", index(4, 2))
    value = net.op(op, scores, net.op("one_hot", label, classes=4), **settings)
    assert ops(made(net, value)) == [wanted]
    net = Network()
    scores, label = net.input("x", f32(2, 4)), net.input("k", index(3, 2))
    value = net.op(op, scores, net.op("one_hot", label, classes=4), **settings)
    assert ops(made(net, value)) == ["one_hot", op]


def test_a_difference_keeps_its_sides() -> None:
    net = Network()
    x, z = net.input("x", f32(3)), net.input("z", f32(3))
    graph = made(net, net.op("add", net.op("negative", x), z))
    assert graph["add"].inputs == ("z", "x")


@pytest.mark.parametrize("divisor", ["rows", "weight", "root", "one_row"])
def test_a_division_by_what_is_repeated(divisor: str) -> None:
    net = Network()
    x = net.input("x", f32(2, 3))
    rows = net.input("s", f32(2, 1))
    s = {
        "rows": lambda: rows,
        "weight": lambda: net.weight("w", 2, 3),
        "root": lambda: net.op("sqrt", rows),
        "one_row": lambda: net.op("exponential", net.weight("w", 3)),
    }[divisor]()
    graph = made(net, net.op("divide", x, s))
    wanted = {"root": ["rsqrt", "multiply"], "one_row": ["exponential", "divide", "multiply"]}
    assert ops(graph) == wanted.get(divisor, ["divide", "multiply"])


def test_a_division_by_a_number_or_of_a_smaller_value_stays() -> None:
    net = Network()
    x, s = net.input("x", f32(2, 3)), net.input("s", f32(2, 1))
    assert ops(made(net, net.op("divide", x, net.number(3.0)))) == ["divide"]
    net.outputs.clear()
    assert ops(made(net, net.op("divide", s, x))) == ["divide"]


def test_transposes() -> None:
    net = Network()
    x = net.input("x", f32(2, 3, 4))
    h = net.op("transpose", net.op("transpose", x, axes=(2, 0, 1)), axes=(1, 0, 2))
    graph = made(net, h)
    assert ops(graph) == ["transpose"] and graph["transpose_2"].attribute("axes") == (0, 2, 1)
    back = net.op("transpose", net.op("transpose", x, axes=(2, 0, 1)), axes=(1, 2, 0))
    net.outputs.clear()
    assert ops(DeadCode().run(FoldConstants().run(made(net, back)))) == []


def test_what_repeats_by_itself_reads_the_small_value() -> None:
    net = Network()
    x, s = net.input("x", f32(2, 3)), net.input("s", f32(2, 1))
    wide = net.op("broadcast_to", s, shape=(2, 3))
    assert ops(made(net, net.op("add", x, wide))) == ["add"]
    net.outputs.clear()
    other = net.op("broadcast_to", net.input("t", f32(1, 3)), shape=(2, 3))
    graph = made(net, net.op("add", wide, other))
    assert ops(graph) == ["broadcast_to", "add"]


def test_what_is_repeated_is_computed_before() -> None:
    """Then the product reads the small value."""
    net = Network()
    x, s, t = net.input("x", f32(2, 3)), net.input("s", f32(2, 1)), net.input("t", f32(2, 1))
    a, b = (net.op("broadcast_to", value, shape=(2, 3)) for value in (s, t))
    h = net.op("divide", net.op("negative", net.op("add", a, net.number(2.0))), b)
    graph = made(net, h)
    assert ops(graph) == ["add", "negative", "divide", "broadcast_to"]
    assert {graph[name].type for name in ("add.small", "negative.small", "divide.small")} == {f32(2, 1)}
    net.outputs.clear()
    graph = made(net, net.op("multiply", h, x))
    assert ops(graph) == ["add", "negative", "divide", "multiply"] and graph["multiply"].inputs == ("divide.small", "x")


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("sum_to", {"shape": (2, 1), "batched": True}),
        ("sum_to", {"shape": (3,), "batched": False}),
        ("reduce_sum", {"axes": (0,), "keep": False}),
        ("reduce_mean", {"axes": (0, 1), "keep": True}),
    ],
)
def test_factors_go_in_front_of_sums(op: str, attributes: dict[str, object]) -> None:
    net = Network()
    x = net.input("x", f32(2, 3))
    for factor, wanted in ((net.op("negative", x), "negative"), (net.op("multiply", x, net.number(3.0)), "multiply")):
        net.outputs.clear()
        net.output("y", net.op(op, factor, **attributes))
        before = net.graph()
        after = Simplify().run(before)
        numbers = [run(g, {"x": np.arange(12.0).reshape(2, 2, 3)})[g.outputs[0][1]] for g in (before, after)]
        np.testing.assert_allclose(*numbers, rtol=1e-13)
        assert ops(DeadCode().run(after)) == [op, wanted]


def test_names_of_new_values_are_free() -> None:
    net = Network()
    x = net.input("power.square", f32(3))
    graph = made(net, net.op("power", x, net.number(3.0)))
    assert "power.square_" in graph and ops(graph) == ["square", "multiply"]


def test_layer_normalisation_divides_once_for_each_row() -> None:
    """`(x - mean) / sqrt(var + eps)`: the mean is found once, the root is taken of rows and not of elements."""
    net = Network()
    x = net.input("x", f32(4, 8))
    centered = net.op("subtract", x, net.layer("mean", x, axis=(-1,), keep=True))
    spread = net.op("add", net.layer("var", x, axis=(-1,), keep=True), net.number(1e-3))
    net.output("y", net.op("divide", centered, net.layer("sqrt", spread)))
    graph = DeadCode().run(CommonSubexpressions().run(Simplify().run(net.graph())))
    assert ops(graph) == ["reduce_mean", "subtract", "square", "reduce_mean", "add", "rsqrt", "multiply"]
