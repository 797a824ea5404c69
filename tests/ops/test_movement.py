"""Layers that move numbers, against NumPy on one sample after the other: batched, unbatched and mixed operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, draw, f32, index, truth, u8

from kdsl.graph import Graph, TensorType
from kdsl.graph.builder import Builder
from kdsl.graph.interpreter import run
from kdsl.ops import LAYERS
from kdsl.ops.indexing import index as part_of
from kdsl.ops.registry import Refused
from kdsl.passes.differentiate import Differentiate

ROWS = 3
I32 = TensorType("i32", (2,))


def without_batch(type: TensorType) -> TensorType:
    return TensorType(type.dtype, type.shape, False, type.classes)


def clipped(x: np.ndarray, i: np.ndarray, axis: int) -> np.ndarray:
    return np.take(x, np.clip(i, 0, x.shape[axis] - 1), axis)


def hot(i: np.ndarray, classes: int) -> np.ndarray:
    result = np.zeros((*i.shape, classes))
    for place in np.ndindex(i.shape):
        if i[place] < classes:
            result[(*place, i[place])] = 1
    return result


def cut(x: np.ndarray, at: list[int], axis: int) -> list[np.ndarray]:
    return np.split(x, at, axis)


CASES: list[tuple[str, list[TensorType], dict[str, Any], Callable[..., Any]]] = [
    ("transpose", [f32(2, 3)], {}, lambda x: x.T),
    ("transpose", [f32(2, 3, 4)], {}, lambda x: x.T),
    ("transpose", [f32(2, 3, 4)], {"axes": (1, 2, 0)}, lambda x: np.transpose(x, (1, 2, 0))),
    ("transpose", [f32(2, 3, 4)], {"axes": (-1, 0, 1)}, lambda x: np.transpose(x, (2, 0, 1))),
    ("transpose", [u8(2, 3)], {}, lambda x: x.T),
    ("permute", [f32(2, 3, 4)], {"axes": (2, 0, 1)}, lambda x: np.transpose(x, (2, 0, 1))),
    ("flip", [f32(4)], {}, lambda x: x[::-1]),
    ("flip", [f32(3, 4)], {"axis": (-1,)}, lambda x: x[:, ::-1]),
    ("flip", [f32(3, 4, 2)], {"axis": (1, 0)}, lambda x: x[::-1, ::-1]),
    ("flip", [index(9, 4)], {"axis": (0,)}, lambda x: x[::-1]),
    ("pad", [f32(2, 3)], {"width": ((1, 2),)}, lambda x: np.pad(x, (1, 2))),
    (
        "pad",
        [f32(2, 3)],
        {"width": ((1, 0), (0, 2)), "value": 7.0},
        lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=7),
    ),
    ("pad", [f32(2, 3)], {"width": ((2, 1),), "axis": (-1,)}, lambda x: np.pad(x, ((0, 0), (2, 1)))),
    ("pad", [f32(2, 3, 2)], {"width": ((0, 1), (2, 0)), "axis": (2, 0)}, lambda x: np.pad(x, ((2, 0), (0, 0), (0, 1)))),
    ("pad", [u8(2)], {"width": ((1, 1),), "value": -0.5}, lambda x: np.pad(x.astype(float), 1, constant_values=-0.5)),
    ("pad", [index(5, 3)], {"width": ((0, 2),), "value": 4.0}, lambda x: np.pad(x, (0, 2), constant_values=4)),
    ("concat", [f32(3), f32(2)], {}, lambda *x: np.concatenate(x)),
    ("concat", [f32(2, 3), f32(2, 1), f32(2, 2)], {}, lambda *x: np.concatenate(x, -1)),
    ("concat", [f32(2, 3), f32(1, 3)], {"axis": 0}, lambda *x: np.concatenate(x, 0)),
    ("concat", [f32(2, 3, 2), f32(2, 1, 2)], {"axis": 1}, lambda *x: np.concatenate(x, 1)),
    ("concat", [u8(2), f32(3)], {}, lambda *x: np.concatenate([a.astype(float) for a in x])),
    ("concat", [index(4, 2), index(4, 3)], {}, lambda *x: np.concatenate(x)),
    ("concat", [f32(4)], {}, lambda x: x),
    ("stack", [f32(3), f32(3)], {}, lambda *x: np.stack(x)),
    ("stack", [f32(2, 3), f32(2, 3), f32(2, 3)], {"axis": -1}, lambda *x: np.stack(x, -1)),
    ("stack", [f32(2, 3), f32(2, 3)], {"axis": 1}, lambda *x: np.stack(x, 1)),
    ("stack", [f32(), f32()], {}, lambda *x: np.stack(x)),
    ("stack", [truth(2), u8(2)], {}, lambda *x: np.stack([a.astype(float) for a in x])),
    ("split", [f32(6)], {"parts": 3}, lambda x: cut(x, [2, 4], 0)),
    ("split", [f32(2, 6)], {"parts": 2}, lambda x: cut(x, [3], 1)),
    ("split", [f32(5, 2)], {"sizes": (1, 3, 1), "axis": 0}, lambda x: cut(x, [1, 4], 0)),
    ("split", [index(3, 4)], {"parts": 4, "axis": -1}, lambda x: cut(x, [1, 2, 3], 0)),
    ("gather", [f32(5, 2), index(5)], {}, lambda x, i: x[i]),
    ("gather", [f32(5, 2), index(4, 3)], {"axis": 0}, lambda x, i: x[i]),
    ("gather", [f32(2, 5, 3), index(5, 2, 2)], {"axis": 1}, lambda x, i: x[:, i]),
    ("gather", [f32(2, 4), I32], {"axis": -1}, lambda x, i: clipped(x, i, -1)),
    ("gather", [u8(4), u8(3)], {}, lambda x, i: clipped(x, i, 0)),
    ("gather", [index(7, 4), index(3)], {}, lambda x, i: x[i]),
    ("one_hot", [index(4)], {}, lambda i: hot(i, 4)),
    ("one_hot", [index(4, 3)], {"classes": 6}, lambda i: hot(i, 6)),
    ("one_hot", [I32], {"classes": 9}, lambda i: hot(i, 9)),
    ("expand_dims", [f32(2, 3)], {"axis": (0,)}, lambda x: x[None]),
    ("expand_dims", [f32(2, 3)], {"axis": (-1,)}, lambda x: x[..., None]),
    ("expand_dims", [f32(2, 3)], {"axis": (0, 2)}, lambda x: x[None, :, None]),
    ("expand_dims", [f32()], {"axis": (0,)}, lambda x: np.array([x])),
    ("squeeze", [f32(1, 3, 1)], {}, lambda x: x.squeeze()),
    ("squeeze", [f32(1, 3, 1)], {"axis": (-1,)}, lambda x: x.squeeze(-1)),
    ("squeeze", [f32(1)], {}, lambda x: x[0]),
    ("tile", [f32(2, 3)], {"counts": (2, 3)}, lambda x: np.tile(x, (2, 3))),
    ("tile", [f32(2, 3)], {"counts": (4,)}, lambda x: np.tile(x, 4)),
    ("tile", [f32(3)], {"counts": (2, 1, 2)}, lambda x: np.tile(x, (2, 1, 2))),
    ("repeat_vector", [f32(3)], {"n": 4}, lambda x: np.stack([x] * 4)),
    ("identity", [f32(2, 3)], {}, lambda x: x),
    ("identity", [index(5)], {}, lambda x: x),
]


def named(case: Any) -> str:
    return f"{case[0]}({', '.join(map(str, case[1]))}) {case[2]}"


def applied(
    case: Any, types: list[TensorType], arrays: list[np.ndarray]
) -> tuple[Network, list[TensorType], list[Any]]:
    """The layer on values of these types -> types and arrays of its results."""
    name, _, settings, _ = case
    net = Network()
    values, inputs, weights = [], {}, {}
    for number, (type, array) in enumerate(zip(types, arrays, strict=True)):
        key = f"x{number}"
        if type.batched:
            values.append(net.input(key, type))
            inputs[key] = array
        else:
            values.append(net.weight(key, *type.shape))
            weights[key] = array
    made: Any = net.layer(name, *values, **settings)
    results = [made] if isinstance(made, str) else list(made)
    found = run(net.graph(), inputs, {}, weights)
    return net, [net.build.type_of(result) for result in results], [found[result] for result in results]


def compare(case: Any, types: list[TensorType]) -> None:
    rng = np.random.default_rng(5)
    arrays = [draw(type, rng, ROWS) for type in types]
    _, kinds, found = applied(case, types, arrays)
    for row in range(ROWS):
        sample = case[3](*(a[row] if t.batched else a for a, t in zip(arrays, types, strict=True)))
        wanted = sample if isinstance(sample, list) else [sample]
        assert len(wanted) == len(found)
        for kind, result, expected in zip(kinds, found, wanted, strict=True):
            assert kind.batched == any(type.batched for type in types)
            assert kind.shape == np.shape(expected)
            np.testing.assert_array_equal(result[row] if kind.batched else result, expected)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_batched(case: Any) -> None:
    compare(case, case[1])


@pytest.mark.parametrize("case", [c for c in CASES if all(t.dtype == "f32" for t in c[1])], ids=named)
def test_unbatched(case: Any) -> None:
    compare(case, [without_batch(type) for type in case[1]])


MIXED = [
    (case, place) for case in CASES if len(case[1]) > 1 for place, type in enumerate(case[1]) if type.dtype == "f32"
]


@pytest.mark.parametrize(
    ("case", "place"), MIXED, ids=lambda part: named(part) if isinstance(part, tuple) else str(part)
)
def test_mixed(case: Any, place: int) -> None:
    """One operand has no batch."""
    compare(case, [without_batch(type) if i == place else type for i, type in enumerate(case[1])])


ITEMS: list[tuple[tuple[int, ...], tuple[Any, ...]]] = [
    ((5,), (-1,)),
    ((5,), (slice(0, 4),)),
    ((5,), (slice(None, None, 2),)),
    ((5,), (slice(-3, None),)),
    ((5,), (slice(None),)),
    ((4, 3), (1,)),
    ((4, 3), (slice(None), -1)),
    ((4, 3), (2, 0)),
    ((4, 6), (slice(1, 3), slice(0, 6, 4))),
    ((2, 3, 4), (slice(None), 1)),
    ((2, 3, 4), (0, slice(None), slice(1, 2))),
]


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(("shape", "items"), ITEMS, ids=str)
def test_indexing(shape: tuple[int, ...], items: tuple[Any, ...], batched: bool) -> None:
    net = Network()
    x = net.input("x", f32(*shape)) if batched else net.weight("x", *shape)
    array = draw(TensorType("f32", shape, batched), np.random.default_rng(1), ROWS)
    with net._at("part"):
        value = part_of(net.build, x, items, "part")
    found = run(net.graph(), {"x": array}, {}, {"x": array})[value]
    np.testing.assert_array_equal(found, array[(slice(None), *items)] if batched else array[items])
    whole = all(item == slice(None) for item in items)
    assert value == ("x" if whole else "part")


@pytest.mark.parametrize(
    ("items", "message", "help"),
    [
        (
            (0, 0, 0),
            "3 items stand in `[ ]`, but {0} has 2 axes",
            "the batch is not written: the first item is for the first axis after it",
        ),
        ((4,), "axis 0 of {0} has 4 places, from 0 to 3, and none is called 4", "the last one is -1 or 3"),
        ((0, -4), "axis 1 of {0} has 3 places, from 0 to 2, and none is called -4", "the last one is -1 or 2"),
        (
            (slice(2, 2),),
            "the part of axis 0 of {0} is empty: it starts at 2 and stops before 2",
            "the end is not part of it: `0:4` is 0, 1, 2, 3",
        ),
        ((slice(None, None, -1),), "a step is at least 1, not -1", "`flip` turns an axis round"),
    ],
)
def test_indexing_refused(items: tuple[Any, ...], message: str, help: str) -> None:
    net = Network()
    x = net.input("x", f32(4, 3))
    with pytest.raises(Refused) as caught, net._at(""):
        part_of(net.build, x, items)
    assert (caught.value.code, caught.value.message, caught.value.help) == ("E414", message, help)


def test_places_out_of_range_are_clipped_in_both_directions() -> None:
    """Forward and backward: the gradient of what was picked goes where it came from."""
    build = Builder()
    net = Network(build)
    table, places = net.weight("table", 3, 2), net.input("i", TensorType("i32", (4,)))
    picked = net.layer("gather", table, places)
    loss = net.op("mean", picked)
    net.the_loss = loss
    graph = Differentiate().run(net.graph())
    values = run(graph, {"i": np.array([[-5, 0, 2, 99]])}, {}, {"table": np.arange(6.0).reshape(3, 2)})
    np.testing.assert_array_equal(values[picked][0], [[0, 1], [0, 1], [4, 5], [4, 5]])
    (gradient,) = (value for weight, value in graph.gradients if weight == "table")
    np.testing.assert_allclose(values[gradient], np.array([[2, 2], [0, 0], [2, 2]]) / 8)


def test_a_class_token_is_the_same_in_every_row_and_gets_every_rows_gradient() -> None:
    net = Network()
    token, x = net.weight("token", 1, 2), net.input("x", f32(3, 2))
    joined = net.layer("concat", token, x, axis=0)
    net.the_loss = net.op("mean", net.op("square", joined))
    graph = Differentiate().run(net.graph())
    values = run(graph, {"x": np.zeros((5, 3, 2))}, {}, {"token": np.array([[1.0, 3.0]])})
    assert values[joined].shape == (5, 4, 2)
    (gradient,) = (value for _, value in graph.gradients)
    np.testing.assert_allclose(values[gradient], 2 * np.array([[1.0, 3.0]]) / 8)


def test_identity_leaves_nothing_behind() -> None:
    from kdsl.passes.pipeline import optimise

    net = Network()
    net.output("y", net.layer("relu", net.layer("identity", net.input("x", f32(3)))))
    graph: Graph = optimise(net.graph(), kind="predict")
    assert [node.op for node in graph.nodes] == ["input", "relu"]


def test_every_layer_of_these_files_is_here() -> None:
    from kdsl.ops import axes, gathering, joining, movement

    files = {module.__name__ for module in (axes, gathering, joining, movement)}
    wanted = {name for name, cls in LAYERS.items() if cls.__module__ in files}
    assert wanted == {case[0] for case in CASES}
