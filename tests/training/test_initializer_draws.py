"""Initializers: variance by Keras's fans, ranges, repeatability, text that stands by itself."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

from kdsl.training import INITIALIZERS
from kdsl.training.drawing import fans
from kdsl.training.initializers import carried, draw


def drawn(name: str, shape: tuple[int, ...], seed: int = 0, **settings: Any) -> np.ndarray:
    return draw((name, tuple(settings.items())), shape, np.random.default_rng(seed))


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("shape", [(5,), (1,), (4, 3), (3, 4), (2, 3, 4), (3, 3, 2, 5)])
def test_shape_and_repeatability(name: str, shape: tuple[int, ...]) -> None:
    first, again = drawn(name, shape), drawn(name, shape)
    assert first.shape == shape and first.dtype == np.float64
    np.testing.assert_array_equal(first, again)
    assert np.isfinite(first).all()


def test_fans_are_those_of_keras() -> None:
    assert fans((7,)) == (7, 7)
    assert fans((784, 28)) == (784, 28)
    assert fans((3, 3, 16, 32)) == (144, 288)


VARIANCES = {
    "glorot_uniform": 2 / 600,
    "glorot_normal": 2 / 600,
    "he_uniform": 2 / 400,
    "he_normal": 2 / 400,
    "lecun_uniform": 1 / 400,
    "lecun_normal": 1 / 400,
    "normal": 0.05**2,
    "uniform": 0.1**2 / 12,
    "variance_scaling": 1 / 400,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variance(name: str) -> None:
    x = drawn(name, (400, 200))
    assert x.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(x.mean()) < 5 * math.sqrt(VARIANCES[name] / x.size)


def test_nothing_beyond_two_deviations() -> None:
    x = drawn("truncated_normal", (300, 300), stddev=2.0, mean=1.0)
    assert np.abs(x - 1).max() <= 4.0
    assert x.std() == pytest.approx(2.0 * 0.87962566, rel=0.01)
    limit = 2 * math.sqrt(2 / 300) / 0.87962566103423978
    assert np.abs(drawn("he_normal", (300, 300))).max() <= limit


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4), (4, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = drawn("orthogonal", shape, gain=2.0).reshape(-1, shape[-1]) / 2.0
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


def test_variance_scaling_says_it_all() -> None:
    settings = {"scale": 2.0, "mode": "fan_in", "distribution": "uniform"}
    np.testing.assert_array_equal(drawn("variance_scaling", (6, 5), **settings), drawn("he_uniform", (6, 5)))
    wide = drawn("variance_scaling", (200, 300), distribution="untruncated_normal", mode="fan_out")
    assert wide.var() == pytest.approx(1 / 300, rel=0.03)


def test_settings_count() -> None:
    assert (drawn("constant", (2, 2), value=0.1) == 0.1).all()
    x = drawn("uniform", (1000,), minval=2.0, maxval=3.0)
    assert 2.0 <= x.min() < 2.05 and 2.95 < x.max() < 3.0
    assert drawn("normal", (2000,), mean=7.0, stddev=0.01).mean() == pytest.approx(7.0, abs=0.01)


def test_seeds_differ() -> None:
    assert not np.array_equal(drawn("normal", (8,), seed=1), drawn("normal", (8,), seed=2))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_carried_text_stands_by_itself(name: str) -> None:
    """The functions, pasted into an empty module that has only NumPy and math, draw the same numbers."""
    text = "from __future__ import annotations\nimport math\nimport numpy as np\n\n"
    text += "\n\n".join(inspect.getsource(function) for function in carried([name]))
    module: dict[str, Any] = {}
    exec(compile(text, "pasted", "exec"), module)
    cls = INITIALIZERS[name]
    settings = {key: param.default for key, param in cls.parameters.items()}
    pasted = module[cls.draw.__name__]((4, 6), np.random.default_rng(5), **settings)
    np.testing.assert_array_equal(pasted, drawn(name, (4, 6), seed=5))


def test_carried_functions_come_once() -> None:
    names = [f.__name__ for f in carried(["he_normal", "glorot_uniform", "zeros", "he_normal"])]
    assert names == ["zeros", "truncated_normal", "fans", "variance_scaling", "glorot_uniform", "he_normal"]
