"""Operators on values: what they add to a graph, against NumPy row by row, and what they refuse, word for word."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, draw, f32, index, truth, u8

from kdsl.graph import TensorType
from kdsl.graph.interpreter import run
from kdsl.ops.operators import binary, unary
from kdsl.ops.registry import Refused

PYTHON = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow},
    **{"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    **{"@": operator.matmul, "and": np.logical_and, "or": np.logical_or},
}


def unbatched(*shape: int) -> TensorType:
    return TensorType("f32", shape, batched=False)


def row_by_row(symbol: str, types: list[TensorType]) -> tuple[np.ndarray, np.ndarray]:
    """(what the graph gives, what NumPy gives for one sample after the other)."""
    rng, net = np.random.default_rng(4), Network()
    arrays, names = [], []
    for number, type in enumerate(types):
        name = f"x{number}"
        names.append(net.input(name, type) if type.batched else net.weight(name, *type.shape))
        array = draw(type, rng, 3)
        array = np.maximum(array, 1) if symbol == "/" and type.dtype != "f32" else array
        arrays.append(np.absolute(array) if symbol == "**" else array)
    with net._at(""):
        value = binary(net.build, symbol, *names)
    given = [
        {name: a for name, a, t in zip(names, arrays, types, strict=True) if t.batched is b} for b in (True, False)
    ]
    found = run(net.graph(), given[0], {}, given[1])[value]
    type = net.build.type_of(value)
    assert type.batched == any(t.batched for t in types)
    assert found.shape == ((3, *type.shape) if type.batched else type.shape)
    rows = [[a[i] if t.batched else a for a, t in zip(arrays, types, strict=True)] for i in range(3)]
    wanted = np.array([PYTHON[symbol](*(np.asarray(part, float) for part in row)) for row in rows])
    return found, wanted if type.batched else wanted[0]


SHAPES = [
    [f32(2, 3), f32(2, 3)],
    [f32(3), f32(2, 3)],
    [f32(2, 3), f32(3)],
    [f32(), f32(2, 3)],
    [f32(3), unbatched(2, 3)],
    [unbatched(2, 1), f32(3)],
    [unbatched(3), unbatched(2, 1)],
    [f32(2, 1, 2), f32(3, 1)],
    [u8(3), f32(3)],
    [TensorType("i32", (3,)), truth(3)],
]


@pytest.mark.parametrize("symbol", [s for s in PYTHON if s not in ("@", "and", "or")])
@pytest.mark.parametrize("types", SHAPES, ids=str)
def test_broadcasting_leaves_the_batch_alone(symbol: str, types: list[TensorType]) -> None:
    found, wanted = row_by_row(symbol, types)
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize("symbol", ["and", "or"])
@pytest.mark.parametrize("types", [[truth(3), truth(2, 3)], [truth(2, 1), truth(3)]], ids=str)
def test_logic(symbol: str, types: list[TensorType]) -> None:
    np.testing.assert_array_equal(*row_by_row(symbol, types))


PRODUCTS = [
    [f32(4), unbatched(4, 2)],
    [f32(3, 4), unbatched(4, 2)],
    [f32(2, 3, 4), unbatched(4, 2)],
    [f32(3, 4), f32(4, 2)],
    [unbatched(3, 4), f32(4, 2)],
    [unbatched(3, 4), unbatched(4, 2)],
    [f32(4), f32(4)],
    [f32(4), unbatched(4)],
    [f32(3, 4), f32(4)],
    [f32(4), f32(4, 2)],
    [f32(2, 3, 4), f32(2, 4, 2)],
    [f32(2, 3, 4), f32(4, 2)],
    [f32(3, 4), f32(2, 4, 2)],
    [f32(1, 3, 4), f32(2, 4, 2)],
    [f32(2, 1, 3, 4), f32(5, 4, 2)],
    [f32(2, 1, 3, 4), unbatched(1, 5, 4, 2)],
    [f32(2, 3, 4), f32(4)],
    [u8(3, 4), unbatched(4, 2)],
]


@pytest.mark.parametrize("types", PRODUCTS, ids=str)
def test_products(types: list[TensorType]) -> None:
    found, wanted = row_by_row("@", types)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_a_product_with_a_matrix_of_weights_is_a_matmul() -> None:
    net = Network()
    with net._at(""):
        binary(net.build, "@", net.input("x", f32(2, 3)), net.weight("w", 3, 4))
    assert net.build.nodes[-1].op == "matmul"


def test_unary() -> None:
    net = Network()
    x, seen = net.input("x", u8(3)), net.input("seen", truth(3))
    with net._at(""):
        minus, never = unary(net.build, "-", x), unary(net.build, "not", seen)
    values = run(net.graph(), {"x": np.array([[1, 0, 200]], "u1"), "seen": np.array([[0, 1, 1]], "u1")})
    np.testing.assert_array_equal(values[minus], [[-1.0, 0.0, -200.0]])
    np.testing.assert_array_equal(values[never], [[True, False, False]])
    assert net.build.type_of(never) == truth(3)


def test_classes_may_be_told_apart() -> None:
    found, wanted = row_by_row("==", [index(3, 8), index(3, 8)])
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == bool and found.any() and not found.all()


REFUSED: list[tuple[str, list[TensorType], str, str, str]] = [
    (
        *("+", [f32(2, 3), f32(4)], "E402", "the two sides of `+` have different shapes: [2, 3] and [4]"),
        "axis -1 is 3 and 4; sizes must be equal, or 1, counted from the last axis",
    ),
    (
        *(">", [f32(5, 3), f32(4, 3)], "E402", "the two sides of `>` have different shapes: [5, 3] and [4, 3]"),
        "axis -2 is 4 and 5; sizes must be equal, or 1, counted from the last axis",
    ),
    (
        *("*", [index(10), f32()], "E405", "`*` computes with numbers, but gets classes: index(10)"),
        "declare the input `i32` if its values are quantities; a class has no size to compute with",
    ),
    (
        *("<", [f32(), index(10)], "E405", "`<` computes with numbers, but gets classes: index(10)"),
        "declare the input `i32` if its values are quantities; a class has no size to compute with",
    ),
    (
        *("and", [truth(3), f32(3)], "E416", "`and` combines conditions, but gets numbers: f32[3]"),
        "compare first, as in `x > 0`",
    ),
    (
        *("or", [index(4), truth()], "E416", "`or` combines conditions, but gets classes: index(4)"),
        "compare first, as in `x > 0`",
    ),
    (
        *("@", [f32(3), f32()], "E401", "`@` multiplies matrices, but {1} is a single number"),
        "`*` multiplies by a number",
    ),
    (
        *("@", [f32(2, 3), f32(4, 5)], "E402", "`@` cannot multiply [2, 3] with [4, 5]: 3 columns against 4 rows"),
        "the last axis of {0} and the first axis of {1} must be equal",
    ),
    (
        *("@", [f32(2, 3), f32(4, 3)], "E402", "`@` cannot multiply [2, 3] with [4, 3]: 3 columns against 4 rows"),
        "the last axis of {0} and the first axis of {1} must be equal: turn the right side round, `@ transpose(..)`?",
    ),
    (
        *("@", [f32(7, 2, 3), f32(7, 4, 5)], "E402"),
        *("`@` cannot multiply [7, 2, 3] with [7, 4, 5]: 3 columns against 4 rows",),
        "the last axis of {0} and the last but one axis of {1} must be equal",
    ),
    (
        *("@", [f32(7, 2, 3), f32(6, 3, 5)], "E402"),
        "the two sides of `@`, without their last two axes, have different shapes: [7] and [6]",
        "axis -1 is 6 and 7; sizes must be equal, or 1, counted from the last axis",
    ),
]


@pytest.mark.parametrize(("symbol", "types", "code", "message", "help"), REFUSED)
def test_refused(symbol: str, types: list[TensorType], code: str, message: str, help: str) -> None:
    net = Network()
    names = [net.input(f"x{i}", type) for i, type in enumerate(types)]
    with net._at(""), pytest.raises(Refused) as caught:
        binary(net.build, symbol, *names)
    assert (caught.value.code, caught.value.message, caught.value.help) == (code, message, help)


def test_not_wants_a_condition() -> None:
    net = Network()
    x: Any = net.input("x", f32(3))
    with net._at(""), pytest.raises(Refused) as caught:
        unary(net.build, "not", x)
    assert (caught.value.code, caught.value.message) == (
        "E416",
        "`not` turns a condition round, but gets numbers: f32[3]",
    )
