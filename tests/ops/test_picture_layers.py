"""Layers of pictures and noise, against formulas written out in NumPy; gradients of what they are made of, by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, data_for, f32, u8

from kdsl.graph import TensorType
from kdsl.graph.interpreter import run
from kdsl.passes.differentiate import Differentiate
from kdsl.passes.inference import Inference

ROWS = 3
Array = np.ndarray


def result(name: str, type: TensorType, rows: int = ROWS, **settings: Any) -> tuple[Array, Array, dict[str, Array]]:
    """(what comes out in training, what went in, the weights by their last name)."""
    net = Network()
    value = net.layer(name, net.input("x", type), **settings)
    inputs, _, weights = data_for(net.graph(), seed=4, batch=rows)
    found = run(net.graph(), inputs, {}, weights, seed=7, step=2)[value]
    assert found.shape[1:] == net.build.type_of(value).shape
    return found, inputs["x"], {key.split(".")[-1]: array for key, array in weights.items()}


def at_places(x: Array, axis: int, size: int) -> Array:
    """Linear interpolation along an axis, one number after the other."""
    x = np.moveaxis(x, axis, 0)
    n, rows = len(x), []
    for i in range(size):
        place = min(max((i + 0.5) * n / size - 0.5, 0.0), n - 1.0)
        low = int(place)
        high = min(low + 1, n - 1)
        rows.append(x[low] + (place - low) * (x[high] - x[low]))
    return np.moveaxis(np.array(rows), 0, axis)


@pytest.mark.parametrize(("shape", "size"), [((4, 3, 2), (2, 3)), ((5, 2), 3), ((2, 3, 2, 2), (1, 2, 2))])
def test_upsample_nearest(shape: tuple[int, ...], size: Any) -> None:
    found, x, _ = result("upsample", f32(*shape), size=size)
    for axis in range(1, len(shape)):
        x = np.repeat(x, size if isinstance(size, int) else size[axis - 1], axis)
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("name", ["upsample", "resize"])
@pytest.mark.parametrize(
    ("shape", "size"), [((4, 3, 2), (2, 3)), ((5, 2), 3), ((3, 2, 4, 2), (1, 2, 6)), ((1, 4, 2), 2)]
)
def test_bilinear(name: str, shape: tuple[int, ...], size: Any) -> None:
    found, x, _ = result(name, f32(*shape), size=size, method="bilinear")
    for axis in range(1, len(shape)):
        given = size if isinstance(size, int) else size[axis - 1]
        x = at_places(x, axis, given * shape[axis - 1] if name == "upsample" else given)
    np.testing.assert_allclose(found, x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("shape", "size"), [((6, 5, 2), (4, 7)), ((6, 4, 2), (3, 4)), ((7, 2), 3), ((3, 2), 9)])
def test_resize_nearest(shape: tuple[int, ...], size: Any) -> None:
    found, x, _ = result("resize", f32(*shape), size=size, method="nearest")
    for axis in range(1, len(shape)):
        n, m = shape[axis - 1], size if isinstance(size, int) else size[axis - 1]
        x = np.take(x, [int((i + 0.5) * n / m) for i in range(m)], axis)
    np.testing.assert_array_equal(found, x)


def test_frames() -> None:
    found, x, _ = result("zero_pad", f32(2, 3, 2), padding=((1, 0), (2, 1)))
    np.testing.assert_array_equal(found, np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0))))
    found, x, _ = result("zero_pad", u8(3, 2))
    np.testing.assert_array_equal(found, np.pad(x.astype(float), ((0, 0), (1, 1), (0, 0))))
    found, x, _ = result("crop", f32(4, 5, 2), cropping=((1, 0), (2, 1)))
    np.testing.assert_array_equal(found, x[:, 1:, 2:4])
    found, x, _ = result("center_crop", f32(5, 6, 2), size=(2, 3))
    np.testing.assert_array_equal(found, x[:, 1:3, 1:4])
    found, x, _ = result("center_crop", u8(4, 4, 2), size=4)
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize(
    ("shape", "size"), [((6, 4, 2), (3, 2)), ((7, 5, 2), (3, 2)), ((5, 3), 4), ((4, 3, 5, 2), (4, 2, 3))]
)
@pytest.mark.parametrize(("name", "function"), [("adaptive_avg_pool", np.mean), ("adaptive_max_pool", np.max)])
def test_adaptive_pools(name: str, function: Callable[..., Array], shape: tuple[int, ...], size: Any) -> None:
    found, x, _ = result(name, f32(*shape), size=size)
    sizes = (size,) * (len(shape) - 1) if isinstance(size, int) else size
    for place in np.ndindex(*sizes):
        window = [
            slice(int(np.floor(i * n / m)), int(np.ceil((i + 1) * n / m)))
            for i, n, m in zip(place, shape, sizes, strict=False)
        ]
        wanted = function(x[(slice(None), *window)], axis=tuple(range(1, len(shape))))
        np.testing.assert_allclose(found[(slice(None), *place)], wanted, rtol=1e-13)


@pytest.mark.parametrize(("shape", "groups"), [((3, 2, 6), 2), ((4, 6), 3), ((6,), 2), ((3, 4), -1), ((2, 3, 4), 1)])
def test_group_norm(shape: tuple[int, ...], groups: int) -> None:
    found, x, weights = result("group_norm", f32(*shape), groups=groups, epsilon=0.01)
    count = shape[-1] if groups == -1 else groups
    wanted = np.empty_like(x)
    for row in range(ROWS):
        for group in range(count):
            part = (row, ..., slice(group * shape[-1] // count, (group + 1) * shape[-1] // count))
            wanted[part] = (x[part] - x[part].mean()) / np.sqrt(x[part].var() + 0.01)
    np.testing.assert_allclose(found, wanted * weights["gamma"] + weights["beta"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("shared", "alpha"), [((), (3, 2, 4)), ((0, 1), (1, 1, 4)), ((0, -1), (1, 2, 1))])
def test_prelu(shared: tuple[int, ...], alpha: tuple[int, ...]) -> None:
    found, x, weights = result("prelu", f32(3, 2, 4), shared_axes=shared)
    assert weights["alpha"].shape == alpha
    np.testing.assert_allclose(found, np.where(x > 0, x, weights["alpha"] * x), rtol=1e-15)


# -- noise ---------------------------------------------------------------------------------------------

NOISES: list[tuple[str, dict[str, Any]]] = [
    ("spatial_dropout", {"rate": 0.3}),
    ("gaussian_noise", {"stddev": 0.4}),
    ("gaussian_dropout", {"rate": 0.3}),
    ("alpha_dropout", {"rate": 0.2}),
]


@pytest.mark.parametrize(("name", "settings"), NOISES)
def test_noise_is_none_at_inference(name: str, settings: dict[str, Any]) -> None:
    net = Network()
    x = net.input("x", f32(4, 3))
    net.output("y", net.layer(name, x, **settings))
    graph = Inference().run(net.graph())
    assert graph.outputs == (("y", x),)


def test_spatial_dropout_leaves_out_channels() -> None:
    found, x, _ = result("spatial_dropout", f32(5, 4, 40), rows=20, rate=0.3)
    gone = (found == 0).all((1, 2), keepdims=True)
    np.testing.assert_allclose(found, np.where(gone, 0, x / 0.7), rtol=1e-12)
    assert abs(gone.mean() - 0.3) < 0.05


def test_gaussian_noise_is_added() -> None:
    found, x, _ = result("gaussian_noise", f32(50, 40), rows=20, stddev=0.4)
    noise = found - x
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 0.4) < 0.01
    assert abs(np.corrcoef(noise.ravel(), x.ravel())[0, 1]) < 0.02


def test_gaussian_dropout_multiplies() -> None:
    found, x, _ = result("gaussian_dropout", f32(50, 40), rows=20, rate=0.3)
    factor = found / x
    assert abs(factor.mean() - 1) < 0.01 and abs(factor.std() - np.sqrt(0.3 / 0.7)) < 0.01


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    net = Network()
    y = net.layer("alpha_dropout", net.input("x", f32(50, 40)), rate=0.2)
    x = np.random.default_rng(0).normal(size=(50, 50, 40))
    found = run(net.graph(), {"x": x}, {}, {}, seed=3)[y]
    assert abs(found.mean()) < 0.02 and abs(found.std() - 1) < 0.02
    values, counts = np.unique(found, return_counts=True)
    lowest = values[counts.argmax()]
    assert abs(counts.max() / found.size - 0.2) < 0.01
    kept = found != lowest
    a = 1 / np.sqrt(0.8 * (1 + 0.2 * 1.7580993408473766**2))
    np.testing.assert_allclose(lowest, a * (-1.7580993408473766 + 0.2 * 1.7580993408473766), rtol=1e-12)
    np.testing.assert_allclose(found[kept], a * (x[kept] + 0.2 * 1.7580993408473766), rtol=1e-9)


# -- gradients -----------------------------------------------------------------------------------------

LAYERS_AND_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("upsample", {"size": (2, 1)}),
    ("upsample", {"method": "bilinear"}),
    ("resize", {"size": (3, 5)}),
    ("resize", {"size": (3, 7), "method": "nearest"}),
    ("zero_pad", {}),
    ("crop", {}),
    ("center_crop", {"size": (2, 3)}),
    ("adaptive_avg_pool", {"size": (3, 2)}),
    ("adaptive_max_pool", {"size": (3, 2)}),
    ("group_norm", {"groups": 2}),
    ("prelu", {"shared_axes": (0, 1)}),
    ("conv", {"filters": 3, "kernel": 2}),
    ("separable_conv", {"filters": 3, "kernel": 2, "multiplier": 2}),
    ("conv_transpose", {"filters": 3, "kernel": 3, "stride": 2}),
    *NOISES,
]


@pytest.mark.parametrize(("name", "settings"), LAYERS_AND_SETTINGS)
def test_gradients_are_finite_differences(name: str, settings: dict[str, Any]) -> None:
    """Of the mean of the squares, to the weights of the layer and of one in front of it, at one step's random numbers."""
    net = Network()
    before = net.weight("before", 4, 5, 4)
    x = net.op("multiply", net.input("x", f32(4, 5, 4)), before)
    y = net.layer(name, x, **settings)
    net.the_loss = net.op("mean", net.op("square", y))
    graph = Differentiate().run(net.graph())
    inputs, _, weights = data_for(net.graph(), seed=5, batch=2, scale=1.0)
    values = run(graph, inputs, {}, weights, seed=9, step=1)

    def loss(path: str, place: tuple[int, ...], step: float) -> float:
        array = weights[path].copy()
        array[place] += step
        return float(run(net.graph(), inputs, {}, {**weights, path: array}, seed=9, step=1)[net.the_loss])

    assert len(graph.gradients) == len(weights)
    rng = np.random.default_rng(1)
    for path, gradient in graph.gradients:
        for place in rng.permutation(list(np.ndindex(weights[path].shape)))[:12]:
            at = tuple(place)
            wanted = (loss(path, at, 1e-6) - loss(path, at, -1e-6)) / 2e-6
            np.testing.assert_allclose(values[gradient][at], wanted, rtol=2e-6, atol=1e-8, err_msg=path)
