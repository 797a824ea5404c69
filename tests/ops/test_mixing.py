"""Rows mixed with one another: shares of the distribution that is documented, and which row is mixed with which."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from test_random_values import drawn

from kdsl.ops import OPS

ROWS = 20_000


def shares(alpha: float, rows: int = ROWS, seed: int = 5, step: int = 2, stream: int = 1) -> np.ndarray:
    settings = {"alpha": alpha, "stream": stream, "seed": seed, "step": step, "dtype": "float64"}
    return np.asarray(OPS["random_share"].reference(np.zeros((rows, 3), "u1"), **settings))


def test_the_written_formula() -> None:
    for i, found in enumerate(shares(0.4, rows=50)):
        u, v = drawn(5, 2, 1, 2 * i), drawn(5, 2, 1, 2 * i + 1)
        p, c = u**2.5, math.cos(2 * math.pi * v)
        t = math.sqrt(0.8 * (1 / p - 1)) * c  # of Student's distribution with 0.8 degrees of freedom
        assert found == pytest.approx(0.5 + 0.5 * t / math.sqrt(0.8 + t * t), rel=1e-12)


CUMULATIVE: dict[float, Callable[[np.ndarray], np.ndarray]] = {
    0.5: lambda x: 2 / np.pi * np.arcsin(np.sqrt(x)),
    1.0: lambda x: x,
    2.0: lambda x: 3 * x**2 - 2 * x**3,
    3.0: lambda x: 10 * x**3 - 15 * x**4 + 6 * x**5,
}


@pytest.mark.parametrize("alpha", CUMULATIVE)
def test_the_beta_distribution(alpha: float) -> None:
    """Kolmogorov and Smirnov: the largest distance from the distribution's own curve; 2 / sqrt(n) is as good as never."""
    x = np.sort(shares(alpha))
    distance = np.abs(CUMULATIVE[alpha](x) - (np.arange(ROWS) + 0.5) / ROWS).max()
    assert distance < 2 / math.sqrt(ROWS)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.4, 8.0])
def test_moments_of_every_alpha(alpha: float) -> None:
    x = shares(alpha) - 0.5
    second = 1 / (4 * (2 * alpha + 1))
    fourth = 3 * second / (4 * (2 * alpha + 3))
    assert abs(x.mean()) < 5 * math.sqrt(second / ROWS)
    assert abs((x**2).mean() - second) < 5 * math.sqrt((fourth - second**2) / ROWS)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("alpha", [1e-7, 1e12])
def test_shares_of_extreme_settings_are_shares(alpha: float) -> None:
    x = shares(alpha)
    assert (x >= 0).all() and (x <= 1).all()
    assert np.abs(x - 0.5).min() > 0.49 if alpha < 1 else np.abs(x - 0.5).max() < 0.01


def test_seed_step_and_stream_matter_and_the_other_rows_do_not() -> None:
    first = shares(0.4, rows=9)
    assert np.array_equal(first[:4], shares(0.4, rows=4))
    for other in (shares(0.4, 9, seed=6), shares(0.4, 9, step=3), shares(0.4, 9, stream=0)):
        assert not np.array_equal(first, other)


def test_each_row_is_mixed_with_the_next() -> None:
    x = np.arange(12.0).reshape(3, 2, 2)
    share = np.array([1.0, 0.0, 0.25])
    found = OPS["mix_rows"].reference(x, share)
    assert np.array_equal(found, [x[0], x[2], 0.25 * x[2] + 0.75 * x[0]])
    assert np.array_equal(OPS["mix_rows"].reference(x[:1], share[2:]), x[:1]), "a single row stays"
    assert OPS["mix_rows"].reference(x.astype(np.float32), share.astype(np.float32)).dtype == np.float32
