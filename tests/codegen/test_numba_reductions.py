"""Reductions with what is computed right before them, in one loop: on the numba target against NumPy, and against themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from graph_models import graph_module
from numba_models import assert_equal, results
from small_graphs import Network, f32

from kdsl.passes.pipeline import optimise, slice_graph


def normalised(width: int) -> Network:
    """Layer normalisation by hand: sums of squares and of products along a line, and over the batch for gain and shift."""
    net = Network()
    x, y = net.input("x", f32(5, 6)), net.target("y", f32(5, 3))
    h = net.layer("dense", x, units=width)
    centered = net.op("subtract", h, net.layer("mean", h, axis=(-1,), keep=True))
    spread = net.op("add", net.layer("var", h, axis=(-1,), keep=True), net.number(1e-3))
    h = net.op("multiply", net.op("divide", centered, net.layer("sqrt", spread)), net.weight("gain", width))
    h = net.op("multiply", net.op("add", h, net.weight("shift", width)), net.weight("rows", 5, 1))
    net.output("h", h)
    net.loss("mse", net.layer("dense", h, units=3), y)
    return net


def attention() -> Network:
    """Softmax by hand over the middle axis, the largest value apart; means of products over two axes."""
    net = Network()
    x, y = net.input("x", f32(4, 3)), net.target("y", f32(7))
    h = net.layer("dense", x, units=7)
    raised = net.layer("exp", net.op("subtract", h, net.layer("max", net.op("multiply", h, h), axis=(0,), keep=True)))
    shares = net.op("divide", raised, net.layer("sum", raised, axis=(0,), keep=True))
    pooled = net.layer("sum", net.op("multiply", shares, h), axis=(0,))
    scale = net.layer("mean", net.layer("abs", net.op("subtract", shares, h)), keep=True)
    pooled = net.op("divide", pooled, net.op("reshape", scale, shape=(1,)))
    net.output("pooled", pooled)
    net.output("lowest", net.layer("min", net.op("multiply", net.op("add", pooled, net.number(1.0)), pooled)))
    net.loss("mse", pooled, y)
    return net


NETS: dict[str, Callable[[], Network]] = {
    "normalised 5": lambda: normalised(5),
    "normalised 35": lambda: normalised(35),
    "attention": attention,
}


@pytest.mark.parametrize("name", NETS)
def test_against_numpy(name: str) -> None:
    net = NETS[name]()
    train = optimise(slice_graph(net.graph(), "train"))
    assert sum(node.keywords.get("kind") == "reduction" for node in train.of("fused")) >= 3
    numpy, made = graph_module(net, "numpy"), graph_module(net)
    assert_equal(results(numpy), results(made), 1e-10)
    one, two = (results(made, batch=19, threads=threads) for threads in (1, 2))
    assert_equal(results(numpy, batch=19), one, 1e-10)
    assert all(np.array_equal(value, two[key]) for key, value in one.items())


@pytest.mark.parametrize("name", ["normalised 35", "attention"])
def test_single_precision_and_without_the_pass(name: str) -> None:
    net = NETS[name]()
    wanted = results(graph_module(net, "numpy", "f64"))
    assert_equal(wanted, results(graph_module(net, dtype="f32")), 2e-4)
    apart = graph_module(net, without=frozenset({"fuse_reductions", "simplify"}))
    assert_equal(wanted, results(apart), 1e-10)
