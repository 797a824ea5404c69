"""Merge layers, normalisation, global pooling, tables and standardize: against formulas written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_graphs import Network, data_for, draw, f32, index, truth, u8

from kdsl.graph import TensorType
from kdsl.graph.interpreter import run
from kdsl.ops import LAYERS
from kdsl.ops.registry import Refused
from kdsl.passes.differentiate import Differentiate

ROWS = 4


def result(name: str, types: list[TensorType], **settings: Any) -> tuple[Any, list[np.ndarray], dict[str, np.ndarray]]:
    """(the layer's values, its inputs, its weights by their last name), everything drawn."""
    net = Network()
    value = net.layer(name, *(net.input(f"x{i}", type) for i, type in enumerate(types)), **settings)
    inputs, _, weights = data_for(net.graph(), seed=3, batch=ROWS)
    values = run(net.graph(), inputs, {}, weights)
    assert net.build.type_of(value).batched
    assert values[value].shape[1:] == net.build.type_of(value).shape
    return values[value], list(inputs.values()), {name.split(".")[-1]: array for name, array in weights.items()}


@pytest.mark.parametrize(
    ("name", "types", "formula"),
    [
        ("add", [f32(2, 3), f32(2, 3), f32(2, 3)], lambda a, b, c: a + b + c),
        ("add", [f32(2, 3), u8(2, 3)], lambda a, b: a + b),
        ("add", [f32(3), f32(2, 3)], lambda a, b: a[:, None] + b),
        ("subtract", [f32(3), f32(3)], lambda a, b: a - b),
        ("multiply", [f32(3), f32(3), f32(3)], lambda a, b, c: a * b * c),
        ("multiply", [f32(2, 2, 3), f32(3)], lambda a, b: a * b[:, None, None]),
        ("average", [f32(3), f32(3), f32(3)], lambda a, b, c: (a + b + c) / 3),
        ("average", [f32(2, 3), f32(1, 3)], lambda a, b: (a + b) / 2),
        ("maximum", [f32(3), f32(3), f32(3)], lambda a, b, c: np.maximum(np.maximum(a, b), c)),
        ("minimum", [f32(3), f32(2, 3)], lambda a, b: np.minimum(a[:, None], b)),
    ],
)
def test_merge(name: str, types: list[TensorType], formula: Any) -> None:
    found, inputs, _ = result(name, types)
    np.testing.assert_allclose(found, formula(*(x.astype(float) for x in inputs)), rtol=1e-14)


@pytest.mark.parametrize(
    ("types", "settings", "equation"),
    [
        ([f32(3), f32(3)], {}, "nk,nk->n"),
        ([f32(2, 3), f32(4, 3)], {}, "nak,nbk->nab"),
        ([f32(3, 2), f32(3, 4)], {"axis": (0,)}, "nka,nkb->nab"),
        ([f32(3, 2), f32(4, 3)], {"axis": (0, 1)}, "nka,nbk->nab"),
        ([f32(3), f32(4, 3)], {"axis": (-1,)}, "nk,nbk->nb"),
        ([f32(2, 3, 2), f32(3, 2)], {"axis": (1, 0)}, "nakc,nkd->nacd"),
    ],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_dot(types: list[TensorType], settings: dict[str, Any], equation: str, normalize: bool) -> None:
    found, (a, b), _ = result("dot", types, normalize=normalize, **settings)
    if normalize:
        first, second = (term.index("k") for term in equation.split("->")[0].split(","))
        a = a / np.linalg.norm(a, axis=first, keepdims=True)
        b = b / np.linalg.norm(b, axis=second, keepdims=True)
    wanted = np.einsum(equation, a, b)
    np.testing.assert_allclose(found, wanted[:, None] if wanted.ndim == 1 else wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "axes"), [((5,), (-1,)), ((3, 4), (-1,)), ((3, 4), (0,)), ((2, 3, 4), (1, -1)), ((2, 3, 4), (0, 2))]
)
@pytest.mark.parametrize(("scale", "center"), [(True, True), (True, False), (False, False)])
def test_layer_norm(shape: tuple[int, ...], axes: tuple[int, ...], scale: bool, center: bool) -> None:
    found, (x,), weights = result("layer_norm", [f32(*shape)], axis=axes, epsilon=0.01, scale=scale, center=center)
    over = tuple(sorted(a % len(shape) + 1 for a in axes))
    spread = [size if place + 1 in over else 1 for place, size in enumerate(shape)]
    wanted = (x - x.mean(over, keepdims=True)) / np.sqrt(x.var(over, keepdims=True) + 0.01)
    if scale:
        wanted = wanted * weights["gamma"].reshape(spread)
    if center:
        wanted = wanted + weights["beta"].reshape(spread)
    assert set(weights) == {*(["gamma"] if scale else []), *(["beta"] if center else [])}
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("shape", "axes"), [((5,), (-1,)), ((3, 4), (0,)), ((2, 3, 4), (2, 0))])
def test_rms_norm(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    found, (x,), weights = result("rms_norm", [f32(*shape)], axis=axes)
    over = tuple(sorted(a % len(shape) + 1 for a in axes))
    spread = [size if place + 1 in over else 1 for place, size in enumerate(shape)]
    wanted = x / np.sqrt((x**2).mean(over, keepdims=True) + 1e-6) * weights["scale"].reshape(spread)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_unit_norm() -> None:
    found, (x,), _ = result("unit_norm", [f32(3, 4)])
    np.testing.assert_allclose(found, x / np.linalg.norm(x, axis=-1, keepdims=True), rtol=1e-12)


def test_a_vector_of_zeros_has_no_direction_and_a_finite_gradient() -> None:
    net = Network()
    w = net.weight("w", 2, 3)
    y = net.layer("unit_norm", w)
    net.the_loss = net.op("mean", y)
    graph = Differentiate().run(net.graph())
    values = run(graph, {}, {}, {"w": np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]])})
    np.testing.assert_allclose(values[y], [[0, 0, 0], [0.6, 0, 0.8]])
    assert np.isfinite(values[graph.gradients[0][1]]).all()


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 2, 2, 3)])
@pytest.mark.parametrize("keep", [False, True])
def test_global_pools(shape: tuple[int, ...], keep: bool) -> None:
    axes = tuple(range(1, len(shape)))
    for name, function in (("global_avg_pool", np.mean), ("global_max_pool", np.max)):
        found, (x,), _ = result(name, [f32(*shape)], keep=keep)
        np.testing.assert_allclose(found, function(x, axis=axes, keepdims=keep), rtol=1e-14)
    assert result("global_avg_pool", [u8(*shape)])[0].dtype == np.float64


@pytest.mark.parametrize("shape", [(), (6,), (2, 3)])
def test_embed(shape: tuple[int, ...]) -> None:
    found, (x,), weights = result("embed", [index(7, *shape)], width=4)
    assert weights["embeddings"].shape == (7, 4)
    wanted = np.array([weights["embeddings"][i] for i in x.ravel()]).reshape(*x.shape, 4)
    np.testing.assert_array_equal(found, wanted)
    (spec,) = LAYERS["embed"].weights({"width": 4, "init": ("uniform", ())}, [index(7, *shape)])
    assert (spec.name, spec.shape, spec.initializer) == ("embeddings", (7, 4), ("uniform", ()))


def test_positions() -> None:
    found, (x,), weights = result("positions", [f32(3, 4)])
    np.testing.assert_allclose(found, x + weights["embeddings"], rtol=1e-15)


@pytest.mark.parametrize("type", [f32(), f32(3), u8(2, 3), truth(2)])
def test_standardize_computes_with_what_it_was_given(type: TensorType) -> None:
    net = Network()
    y = net.layer("standardize", net.input("x", type))
    x = draw(type, np.random.default_rng(2), ROWS).astype(float)
    size = type.shape[-1:]
    mean, variance = np.full(size, 0.5), np.full(size, 4.0)
    given = {"standardize.mean": mean, "standardize.variance": variance}
    values = run(net.graph(), {"x": x if type.dtype == "f32" else x.astype("uint8")}, {}, given)
    np.testing.assert_allclose(values[y], (x - 0.5) / 2, rtol=1e-14)
    specs = LAYERS["standardize"].weights({"axis": (-1,)}, [type])
    assert [(s.name, s.shape, s.trainable) for s in specs] == [("mean", size, False), ("variance", size, False)]


def test_standardize_divides_by_something() -> None:
    """A feature that never changes has the variance 0."""
    net = Network()
    y = net.layer("standardize", net.input("x", f32(1)))
    given = {"standardize.mean": np.ones(1), "standardize.variance": np.zeros(1)}
    assert run(net.graph(), {"x": np.ones((2, 1))}, {}, given)[y].tolist() == [[0.0], [0.0]]


def test_standardize_sees_inputs_and_parts_of_them_only() -> None:
    net = Network()
    x = net.input("x", f32(4, 6))
    part = net.op("slice", x, starts=(0, 1), stops=(4, 3), steps=(1, 1))
    net.layer("standardize", net.layer("flatten", net.op("transpose", part, axes=(1, 0))))
    for computed in (net.layer("relu", x), net.layer("concat", x, x), net.weight("w", 3)):
        with pytest.raises(Refused) as caught:
            net.layer("standardize", computed)
        assert caught.value.code == "E418"
        assert caught.value.message == "`standardize` takes its mean and variance from the data, but {0} is computed"


def test_arange() -> None:
    net = Network()
    x = net.input("x", f32(4))
    rising = net.layer("arange", n=4)
    y = net.op("multiply", x, rising)
    assert net.build.type_of(rising) == TensorType("f32", (4,), batched=False)
    np.testing.assert_array_equal(run(net.graph(), {"x": np.ones((2, 4))})[y], [[0, 1, 2, 3]] * 2)
    with pytest.raises(Refused) as caught:
        net.layer("arange", n=100_000)
    assert (caught.value.code, caught.value.message) == (
        "E307",
        "`arange` writes at most 65_536 numbers, not 100_000",
    )
