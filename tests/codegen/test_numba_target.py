"""The numba target against the NumPy target: every op, loss, metric and way to clip, partial batches, threads, memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba_models import assert_equal, data, engine, module, results, text, weights

from kdsl.ops.activation import Activation
from kdsl.ops.registry import LAYERS

TOLERANCE = {"f64": 1e-10, "f32": 1e-5}
ACTIVATIONS = [*sorted(n for n, c in LAYERS.items() if issubclass(c, Activation)), "softmax", "log_softmax"]


def compare(source: str, dtype: str = "f64", **settings: Any) -> None:
    wanted = results(module(source, "numpy", dtype), **settings)
    assert_equal(wanted, results(module(source, "numba", dtype), **settings), TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("half", [0, 1])
def test_activations(dtype: str, half: int) -> None:
    chain = " ".join(f"-> dense(9) -> {name}" for name in ACTIVATIONS[half::2])
    compare(text(f"{chain} -> dense(5)", optimizer="sgd(lr = 0.02)"), dtype)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "cross_entropy(h, t, smoothing = 0.1)", "metrics": "accuracy(h, t), top_k(h, t, k = 2)"},
        {
            "target": "f32[5]",
            "loss": "cross_entropy(h, t, smoothing = 0.2)",
            "metrics": "accuracy(h, t), top_k(h, t, k = 2)",
        },
        {"target": "bool[5]", "loss": "binary_cross_entropy(h, t, smoothing = 0.1)"},
        {"target": "f32[5]", "loss": "huber(h, t, delta = 0.5)", "metrics": "mse(h, t), mae(h, t)"},
        {"target": "f32[5]", "loss": "mse(h, t)", "metrics": "mae(h, t)"},
        {"target": "f32[5]", "loss": "mae(h, t)", "metrics": "mse(h, t)"},
    ],
    ids=lambda s: s["loss"].split("(")[0] + "_" + s.get("target", "index")[:4],
)
def test_losses_and_metrics(settings: dict[str, str]) -> None:
    compare(text("-> dense(5)", **settings))


@pytest.mark.parametrize("passes", [frozenset(), frozenset({"canonicalize", "fuse_epilogues", "fuse_elementwise"})])
def test_several_axes(passes: frozenset[str]) -> None:
    """Dense layers over each of five lines, softmax over another axis, reshapes with and without a change of lines."""
    flow = "-> dense(20) -> gelu -> softmax(axis = 0) -> reshape([4, 25]) -> dense(6) -> log_softmax(axis = 0)"
    source = text(
        f"{flow} -> flatten -> dense(10) -> reshape([2, 5])",
        input="f32[5, 3]",
        target="index(5)[2]",
        loss="cross_entropy(h, t, smoothing = 0.1)",
        metrics="accuracy(h, t), top_k(h, t, k = 2)",
    )
    wanted = results(module(source, "numpy"))
    assert_equal(wanted, results(module(source, "numba", without=passes)), TOLERANCE["f64"])


def test_data_of_every_type() -> None:
    flow = "-> rescale([0.1, 0.2, 0.3], offset = [1, 2, 3]) -> flatten -> dense(5)"
    compare(text(flow, input="i32[4, 3]"))
    compare(text("-> normalize(mean = [10, 20, 30], std = [9, 60, 70]) -> flatten -> dense(5)", input="u8[4, 3]"))


@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd(lr = 0.1, momentum = 0.9, nesterov = true, clip_norm = 0.1)",
        "adam(lr = 0.01, amsgrad = true, global_clip_norm = 0.05)",
        "rmsprop(lr = 0.01, momentum = 0.3, centered = true, clip_value = 0.01, weight_decay = 0.01)",
    ],
)
def test_optimizers_that_clip(optimizer: str) -> None:
    compare(text("-> dense(40) -> tanh -> dense(5)", optimizer=optimizer))


WIDE = text(
    "-> dense(128) -> relu -> dropout(0.3) -> dense(200) -> silu -> dropout(0.5) -> dense(5)",
    input="f32[130]",
    optimizer="adam(lr = 0.01)",
    batch=256,
)


@pytest.mark.parametrize("batch", [1, 7, 8, 9, 300])
def test_batches_of_any_size(batch: int) -> None:
    """Also larger than planned; dropout draws the same masks as in NumPy. 256 rows cut the layers into many chunks."""
    compare(WIDE, batch=batch)


def test_bits_do_not_depend_on_threads() -> None:
    made = module(WIDE, dtype="f32")
    one = results(made, batch=8, threads=1)
    for threads in (2, 3):
        again = results(made, batch=8, threads=threads)
        assert all(np.array_equal(value, again[name]) for name, value in one.items())


def test_many_blocks_on_two_threads() -> None:
    """Phases with many chunks: equal bits, time after time."""
    made = module(WIDE, dtype="f32")
    inputs, targets = data(made, 700)
    hyper = np.tile(list(made.DECLARATION.training.numbers.values()), (3, 1))
    found = []
    for threads in (1, 2, 2):
        core = engine(made, threads)
        for name, value in weights(made).items():
            core.set_weight(name, value)
        totals, _ = core.train(inputs, targets, np.arange(700), 256, 0, 1, hyper)
        outputs = core.predict(inputs, 0, 700)
        found.append([totals, *outputs, *(core.get_weight(name) for name in weights(made))])
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_a_loss_that_is_not_finite_stops_before_the_update() -> None:
    made = module(text("-> dense(6) -> relu -> dense(5)"))
    core, ((x,), targets) = engine(made), data(made)
    x[9] = 1e308
    for name, value in weights(made).items():
        core.set_weight(name, value)
    order = np.arange(len(x))
    hyper = np.full((len(order), 1), 0.1)
    core.train((x,), targets, order[:8], 8, 0, 0, hyper)
    before = {name: core.get_weight(name) for name in weights(made)}
    totals, bad = core.train((x,), targets, order[8:], 8, 1, 0, hyper)
    assert bad == 0
    assert not totals.any()
    assert all(np.array_equal(value, core.get_weight(name)) for name, value in before.items())
    assert core.train((x,), targets, order[:8], 8, 1, 0, hyper)[1] == -1  # and goes on
    assert not np.isfinite(core.evaluate((x,), targets, 0, len(x))[0])  # evaluation says what it finds


def test_nothing_is_written_outside_of_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module(WIDE, dtype="f32")
    guards: list[np.ndarray] = []

    def aligned(count: int) -> np.ndarray:
        guarded = np.full(count + 256, 12345.0, np.float32)
        start = 64 + -(guarded.ctypes.data // 4) % 16
        guards.append(guarded[:start])
        guards.append(guarded[start + count :])
        guarded[start : start + count] = 0.0
        return guarded[start : start + count]

    monkeypatch.setattr(made, "aligned", aligned)
    results(made, batch=8, threads=2)
    assert len(guards) >= 4
    assert all((guard == 12345.0).all() for guard in guards)


def test_the_announced_bytes_are_all_there_are() -> None:
    core = engine(module(WIDE, dtype="f32"), 2)
    held = [core.mem.base, core.partials, core.totals, core.numbers, core.team.words]
    assert core.nbytes == sum(array.nbytes for array in held) + 8 * len(core.job)


def test_states_can_be_read_and_set() -> None:
    made = module(WIDE, dtype="f32")
    core = engine(made)
    rng = np.random.default_rng(0)
    for name, shape, *_ in made.DECLARATION.weights:
        for slot in (None, *made.DECLARATION.training.slots):
            value = rng.normal(0, 1, shape).astype(np.float32)
            (core.set_weight(name, value) if slot is None else core.set_slot(slot, name, value))
            read = core.get_weight(name) if slot is None else core.get_slot(slot, name)
            assert np.array_equal(read, value)
            assert not np.shares_memory(read, core.mem)


@pytest.mark.parametrize(
    "flow",
    [
        "-> repeat 3 shared dense(7) -> tanh -> dense(5)",  # one weight, three gradients
        "-> dense(9) -> dropout(0.1) -> gelu -> dropout(0.6) -> dense(5)",  # two masks in one loop
    ],
)
def test_gradients_that_meet_and_masks_that_meet(flow: str) -> None:
    compare(text(flow, optimizer="sgd(lr = 0.1, global_clip_norm = 0.2)"))


def test_two_models_in_one_module() -> None:
    """Kernels are shared, what depends on the model has names of its own."""
    first = text("-> dense(5)").replace("M {", "Plain {")
    second = text("-> dense(9) -> silu -> dense(5)", optimizer="adam(lr = 0.01, clip_norm = 0.5)").replace(
        "M {", "Wide {"
    )
    made = module(first + second, dtype="f32")
    x, t = np.random.default_rng(0).normal(0, 1, (32, 7)).astype(np.float32), np.arange(32) % 5
    for model in (made.Plain(seed=1), made.Wide(seed=1), made.Plain(seed=2)):
        losses = model.fit(x, t, epochs=3, verbose=0).history["loss"]
        assert losses[2] < losses[0]
