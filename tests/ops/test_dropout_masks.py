"""Masks: what the written formula says, in plain Python; the right share; the same forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import Network, f32

from kdsl.graph.interpreter import run
from kdsl.ops import OPS
from kdsl.ops.dropout import keep_scale

M = 0xFFFFFFFF


def mix(h: int) -> int:
    h ^= h >> 16
    h = h * 0x7FEB352D & M
    h ^= h >> 15
    h = h * 0x846CA68B & M
    return h ^ h >> 16


def kept(seed: int, step: int, stream: int, element: int, rate: float) -> bool:
    key = mix((mix((mix((seed * 0x9E3779B1 + 1) & M) + step * 0x85EBCA6B) & M) + stream * 0xC2B2AE35) & M)
    return mix((element * 0x9E3779B1 & M) ^ key) >= int(rate * 2**32)


@pytest.mark.parametrize("seed", [0, 42, 2**31, 2**40 + 3])
@pytest.mark.parametrize("shape", [(7,), (5, 3), (2, 3, 4)])
def test_the_written_formula(seed: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    y = OPS["dropout"].reference(x, rate=0.3, stream=2, seed=seed, step=9)
    mask = np.array([kept(seed, 9, 2, i, 0.3) for i in range(x.size)]).reshape(shape)
    np.testing.assert_array_equal(y, np.where(mask, x * (1 / 0.7), 0.0))


def test_share_and_mean() -> None:
    y = OPS["dropout"].reference(np.ones((400, 500)), rate=0.2, stream=0, seed=1, step=0)
    assert abs((y == 0).mean() - 0.2) < 0.005
    assert abs(y.mean() - 1.0) < 0.005


def test_rates_at_the_ends() -> None:
    x = np.arange(1.0, 9.0)
    for rate, wanted in ((0.0, x), (1.0, 0 * x)):
        y = OPS["dropout"].reference(x, rate=rate, stream=0, seed=0, step=0)
        np.testing.assert_array_equal(y, wanted)
    assert (keep_scale(0.0), keep_scale(0.5), keep_scale(1.0)) == (1.0, 2.0, 0.0)


def test_seeds_steps_and_streams_differ() -> None:
    x = np.ones((50, 50))
    masks = [
        OPS["dropout"].reference(x, rate=0.5, stream=stream, seed=seed, step=step) == 0
        for seed, step, stream in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert 0.4 < (first == second).mean() < 0.6


def test_every_dropout_of_a_model_has_its_own_stream() -> None:
    net = Network()
    h = net.input("x", f32(6))
    for _ in range(3):
        h = net.layer("dropout", h, rate=0.5)
    graph = net.graph()
    assert [node.attribute("stream") for node in graph.of("dropout")] == [0, 1, 2]
    values = run(graph, {"x": np.ones((40, 6))}, seed=3)
    assert 0.05 < (values[h] != 0).mean() < 0.2
