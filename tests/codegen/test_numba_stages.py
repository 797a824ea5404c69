"""Graphs whose step takes several passes over the batch, weights in any op, and gradients that are made of other values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from graph_models import ADAM, SGD, graph_module, program_of
from numba_models import assert_equal, data, engine, poison, results
from small_graphs import Network, f32, index, line

from kdsl.ops.indexing import index as cut
from kdsl.passes.pipeline import make_graphs
from kdsl.plan.footprint import numba_bytes
from kdsl.plan.model import plan_model

PLACES = {"axis": 0, "batched_values": False, "batched_indices": True}
Setting = tuple[str, dict[str, float], dict[str, Any]]
CLIPPED: Setting = ("sgd", {"lr": 0.1, "global_clip_norm": 0.05}, {"clip": "global_norm"})
EACH_CLIPPED: Setting = ("adam", {**ADAM[1], "clip_norm": 0.02}, {"clip": "norm"})


def root_of_a_mean() -> Network:
    """The gradient needs the loss's own value."""
    net = Network()
    x, y = net.input("x", f32(6)), net.target("y", f32(3))
    net.output("h", net.layer("dense", net.layer("tanh", net.layer("dense", x, units=7)), units=3))
    error = net.loss("mse", net.outputs[0][1], y)
    net.the_loss = net.op("sqrt", error)
    net.scalars.append(("mse", error))
    return net


def sum_of_losses() -> Network:
    """Sums, products and quotients of means, and a metric made of them."""
    net = Network()
    x, y, k = net.input("x", f32(6)), net.target("y", f32(3)), net.target("k", index(4))
    h = net.layer("relu", net.layer("dense", x, units=9))
    first = net.loss("mse", net.layer("dense", h, units=3), y)
    second = net.loss("cross_entropy", net.layer("dense", h, units=4), k)
    net.the_loss = net.op("add", net.op("multiply", first, second), net.op("divide", first, second))
    net.scalars.append(("quotient", net.op("divide", first, second)))
    net.output("h", h)
    return net


def regularized() -> Network:
    """Terms of weights alone in the loss: the gradient of a kernel is a sum over the batch and another value."""
    net = Network()
    x, y = net.input("x", f32(20)), net.target("y", f32(3))
    h = net.layer("dense", net.layer("relu", net.layer("dense", x, units=18)), units=3)
    net.output("h", h)
    loss = net.loss("mse", h, y)
    for kernel, factor in (("dense.kernel", 0.1), ("dense_2.kernel", 0.3)):
        term = net.op("reduce_sum", net.op("square", kernel), axes=(0, 1), keep=False)
        loss = net.op("add", loss, net.op("multiply", net.number(factor), term))
    net.the_loss = loss
    return net


def tied() -> Network:
    """A kernel is used, squared and transposed, in products of its own."""
    net = Network()
    x, y = net.input("x", f32(20)), net.target("y", f32(20))
    kernel = net.op("multiply", net.weight("kernel", 20, 18), net.number(0.2))
    h = net.layer("tanh", net.op("matmul", x, kernel))
    h = net.op("matmul", h, net.op("transpose", kernel, axes=(1, 0)))
    h = net.op("matmul", net.layer("tanh", h), net.op("square", kernel))
    h = net.op("matmul", h, net.op("transpose", net.op("square", kernel), axes=(1, 0)))
    net.output("h", h)
    net.loss("mse", h, y)
    return net


def language_model() -> Network:
    """A table of vectors that is read by indices and, transposed, gives the scores; places have vectors of their own."""
    net = Network()
    x, y = net.input("x", index(21, 4)), net.target("y", index(21, 4))
    table, places = net.weight("table", 21, 18), net.weight("places", 4, 18)
    h = net.op("add", net.op("gather", table, x, **PLACES), places)
    h = net.layer("tanh", net.layer("dense", h, units=18))
    h = net.op("matmul", h, net.op("transpose", table, axes=(1, 0)))
    net.output("h", h)
    net.loss("cross_entropy", h, y)
    return net


def next_word() -> Network:
    """Labels that are cut out of the input."""
    net = Network()
    text = net.input("text", index(9, 6))
    with net.build.at(line(2)):
        x, y = (cut(net.build, text, [slice(first, first + 5)]) for first in (0, 1))
    h = net.layer("dense", net.op("gather", net.weight("table", 9, 7), x, **PLACES), units=9)
    net.output("h", h)
    net.loss("cross_entropy", h, y)
    net.metric("accuracy", h, y)
    return net


def turned() -> Network:
    """A kernel that is only read transposed."""
    net = Network()
    x, y = net.input("x", f32(20)), net.target("y", f32(3))
    h = net.op("matmul", x, net.op("transpose", net.weight("kernel", 18, 20), axes=(1, 0)))
    net.output("h", net.layer("dense", net.layer("tanh", h), units=3))
    net.loss("mse", net.outputs[0][1], y)
    return net


def weights_of_any_rank() -> Network:
    """A number, a vector, a matrix and a tensor that scale and shift; one of them is not trained."""
    net = Network()
    x, y = net.input("x", f32(4, 5, 6)), net.target("y", f32(4, 5, 6))
    gain, shift = net.weight("gain"), net.weight("shift", 6)
    table, cube = net.weight("table", 5, 6), net.weight("cube", 4, 5, 6)
    fixed = net.weight("fixed", 5, 1, trainable=False)
    h = net.op("add", net.op("multiply", x, gain), shift)
    h = net.op("multiply", net.op("add", net.op("multiply", h, table), fixed), cube)
    net.output("h", net.op("multiply", h, net.op("square", gain)))
    net.loss("mse", net.outputs[0][1], y)
    return net


def standardized() -> Network:
    """Every column minus its mean over the batch, divided by its deviation: three passes."""
    net = Network()
    x = net.input("x", f32(6))
    h = net.layer("dense", x, units=9)
    one = net.op("add", net.op("multiply", x, net.number(0.0)), net.number(1.0))
    count = net.op("sum_to", one, shape=(1,), batched=False)
    count = net.op("divide", count, net.number(6.0))
    mean = net.op("divide", net.op("sum_to", h, shape=(9,), batched=False), count)
    centered = net.op("subtract", h, mean)
    variance = net.op("divide", net.op("sum_to", net.op("square", centered), shape=(9,), batched=False), count)
    h = net.op("divide", centered, net.op("sqrt", net.op("add", variance, net.number(1e-3))))
    net.output("h", net.layer("dense", net.layer("relu", h), units=3))
    return net


NETS = {
    f.__name__: f
    for f in (root_of_a_mean, sum_of_losses, regularized, tied, language_model, next_word, turned, weights_of_any_rank)
}


def wide() -> Network:
    """Weights that are cut into runs of lines: products read copies in panels, the loss reads them as they are."""
    net = Network()
    x, y = net.input("x", f32(150)), net.target("y", f32(3))
    h = net.layer("relu", net.layer("dense", net.layer("relu", net.layer("dense", x, units=200)), units=130))
    h = net.layer("dense", h, units=3)
    net.output("h", h)
    loss = net.loss("mse", h, y)
    for kernel in ("dense.kernel", "dense_2.kernel"):
        term = net.op("reduce_sum", net.op("square", kernel), axes=(0, 1), keep=False)
        loss = net.op("add", loss, net.op("multiply", net.number(0.01), term))
    net.the_loss = loss
    return net


@pytest.mark.parametrize("name", NETS)
def test_against_numpy(name: str) -> None:
    """Also with two blocks of rows in a batch, and any number of threads."""
    net = NETS[name]()
    numpy, made = graph_module(net, "numpy"), graph_module(net)
    assert_equal(results(numpy), results(made), 1e-10)
    one, two = (results(made, batch=19, threads=threads) for threads in (1, 2))
    assert_equal(results(numpy, batch=19), one, 1e-10)
    assert all(np.array_equal(value, two[key]) for key, value in one.items())


@pytest.mark.parametrize("optimizer", [ADAM, CLIPPED], ids=["adam", "clipped"])
def test_lines_cut_into_chunks(optimizer: Setting) -> None:
    net = wide()
    made = graph_module(net, dtype="f32", optimizer=optimizer, batch=256)
    assert "lines = min(" in inspect.getsource(made.update)
    assert_equal(results(graph_module(net, "numpy", "f32", optimizer)), results(made), 1e-5)
    one, two = (results(made, threads=threads) for threads in (1, 2))
    assert all(np.array_equal(value, two[key]) for key, value in one.items())


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("optimizer", [CLIPPED, EACH_CLIPPED], ids=["all", "each"])
def test_clipped_gradients(name: str, optimizer: Setting) -> None:
    net = NETS[name]()
    assert_equal(
        results(graph_module(net, "numpy", optimizer=optimizer)), results(graph_module(net, optimizer=optimizer)), 1e-10
    )


def noisy() -> Network:
    """What is drawn at inference, too, counts rows from the start of a batch."""
    net = Network()
    x = net.input("x", f32(6))
    noise = net.op("random_normal", x, shape=(9,), stream=0, always=True)
    net.output("h", net.op("add", net.layer("dense", x, units=9), noise))
    return net


@pytest.mark.parametrize("make", [standardized, noisy])
def test_passes_over_a_batch(make: Callable[[], Network]) -> None:
    net = make()
    numpy, made = graph_module(net, "numpy", optimised=False), graph_module(net, optimised=False)
    for threads in (1, 2):
        wanted, found = engine(numpy), engine(made, threads)
        for name, value in numpy.initial_weights(1).items():
            wanted.set_weight(name, value)
            found.set_weight(name, value)
        (x,), _ = data(made, 300)
        for start, stop in ((0, 300), (5, 20), (7, 8)):
            poison(found)
            np.testing.assert_allclose(
                found.predict((x,), start, stop)[0], wanted.predict((x,), start, stop)[0], rtol=1e-10, atol=1e-12
            )


@pytest.mark.parametrize("name", NETS)
def test_memory_is_as_announced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single precision: nothing is written outside of the array, and nothing is held besides what the plan says."""
    net = NETS[name]()
    made = graph_module(net, dtype="f32")
    guards: list[np.ndarray] = []

    def aligned(count: int) -> np.ndarray:
        guarded = np.full(count + 256, 12345.0, np.float32)
        start = 64 + -(guarded.ctypes.data // 4) % 16
        guards.extend((guarded[:start], guarded[start + count :]))
        guarded[start : start + count] = 0.0
        return guarded[start : start + count]

    core = engine(made, 2)
    held = [core.mem.base, core.partials, core.totals, core.numbers, core.team.words]
    assert core.nbytes == sum(array.nbytes for array in held) + 8 * len(core.job)
    program = program_of(net.graph(), SGD, 8)
    assert core.nbytes == numba_bytes(plan_model(program, make_graphs(program), set()), "f32", 2)
    monkeypatch.setattr(made, "aligned", aligned)
    assert_equal(results(graph_module(net, "numpy", "f32"), batch=19), results(made, batch=19, threads=2), 1e-5)
    assert len(guards) >= 4
    assert all((guard == 12345.0).all() for guard in guards)


@pytest.mark.parametrize("name", ["root_of_a_mean", "sum_of_losses", "weights_of_any_rank"])
def test_evaluation_takes_batches_of_256(name: str) -> None:
    numpy, made = (graph_module(NETS[name](), target) for target in ("numpy", "numba"))
    wanted, found = engine(numpy), engine(made, 2)
    for weight, value in numpy.initial_weights(1).items():
        wanted.set_weight(weight, value)
        found.set_weight(weight, value)
    inputs, targets = data(made, 600)
    for start, stop in ((0, 600), (10, 300), (3, 4)):
        np.testing.assert_allclose(
            found.evaluate(inputs, targets, start, stop), wanted.evaluate(inputs, targets, start, stop), rtol=1e-10
        )


@pytest.mark.parametrize("optimizer", [SGD, CLIPPED], ids=["plain", "clipped"])
def test_a_loss_that_is_not_finite_changes_nothing(optimizer: Setting) -> None:
    """It is known after the first pass; the weights stay, and training goes on from them."""
    made = graph_module(root_of_a_mean(), optimizer=optimizer)
    core, ((x,), targets) = engine(made, 2), data(made)
    targets[0][9] = 1e308
    for name, value in made.initial_weights(1).items():
        core.set_weight(name, value)
    order, hyper = np.arange(len(x)), np.array([list(made.DECLARATION.training.numbers.values())] * 2)
    before = {name: core.get_weight(name) for name in made.initial_weights(1)}
    totals, bad = core.train((x,), targets, order[8:16], 8, 0, 0, hyper)
    assert bad == 0
    assert not totals.any()
    assert all(np.array_equal(value, core.get_weight(name)) for name, value in before.items())
    totals, bad = core.train((x,), targets, order[:16], 8, 0, 0, hyper)
    assert bad == 1
    assert totals[0] > 0
    assert core.train((x,), targets, order[:8], 8, 1, 0, hyper)[1] == -1
