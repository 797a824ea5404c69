"""Products of the data that the update makes for the next batch: when they are made, and that nothing else changes by it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numba_models import assert_equal, data, engine, module, poison, results, text, weights

from kdsl.compiler import compile_file
from kdsl.plan.model import ModelPlan, plan_model
from kdsl.plan.printer import print_plan
from kdsl.source import Source

WIDE = text(
    "-> rescale(1 / 255) -> flatten -> dense(60) -> relu -> dense(5)", input="u8[28, 28]", optimizer="adam(lr = 0.01)"
)
PLAIN = text(
    "-> dense(45) -> tanh -> dense(5)", input="f32[1000]", optimizer="sgd(lr = 0.01, momentum = 0.9, clip_value = 0.1)"
)
SHARED = WIDE.replace("  h = x", "  one = x").replace(
    " -> dense(5)", "\n  other = x -> rescale(1 / 255) -> flatten -> dense(60)\n  h = concat(one, other) -> dense(5)"
)
TWO = """\
model M {
  input a: f32[515]
  input b: u8[20, 25]
  target t: index(5)
  left  = a -> standardize -> dense(110, bias = false) -> dropout(0.3)
  right = b -> rescale(1 / 255) -> flatten -> dense(120) -> gelu
  h = concat(left, right) -> dense(5)
  output y = h
}
train M {
  loss      = cross_entropy(h, t)
  metrics   = [accuracy(h, t)]
  optimizer = rmsprop(lr = 0.01)
  batch     = 8
}
"""
MODELS = {"one layer": WIDE, "plain data": PLAIN, "two inputs": TWO}


def plan(source: str, *without: str) -> ModelPlan:
    compiled = compile_file(Source("m.kmodel", source), target="numpy")
    return plan_model(compiled.programs[0], compiled.graphs[0], set(), without=without)


def test_a_wide_first_layer_is_cut_into_shares_of_whole_panels() -> None:
    made = plan(WIDE.replace("batch     = 8", "batch     = 32"))
    assert list(made.ahead) == ["h.dense.kernel"]
    (ahead,) = made.ahead.values()
    assert (ahead.lines, ahead.cut, ahead.shares, ahead.ports) == (784, 208, 4, ("x",))
    assert made.train is not None
    kernels = [launch.kernel for launch in made.train.rows[0].launches]
    assert kernels[0] == "add_shares" and kernels.count("dense") == 2
    assert made.train.rows[0].data == ["t"]
    assert made.update_chunks == 5


def test_every_input_may_have_one() -> None:
    assert [(path, ahead.shares) for path, ahead in plan(TWO).ahead.items()] == [
        ("left.dense.kernel", 2),
        ("right.dense.kernel", 2),
    ]


@pytest.mark.parametrize(
    ("why", "source"),
    [
        ("the sums would be more than the kernel", WIDE.replace("batch     = 8", "batch     = 256")),
        ("there is too little to do", WIDE.replace("dense(60)", "dense(8)")),
        ("the kernel does not stay in a cache", WIDE.replace("dense(60)", "dense(600)")),
        ("the columns are drawn for each row", WIDE.replace("-> flatten", "-> flatten -> dropout(0.1)")),
        ("the steps wait for all gradients", WIDE.replace("lr = 0.01", "lr = 0.01, global_clip_norm = 1.0")),
        ("another layer reads the data", SHARED),
        ("the layer stands behind another one", text("-> dense(784) -> relu -> dense(60) -> dense(5)", input="f32[8]")),
    ],
)
def test_it_is_left_where(why: str, source: str) -> None:
    assert not plan(source).ahead, why


def test_the_printed_plan_has_it() -> None:
    text = print_plan(plan(WIDE), "train")
    made = text[
        text.index("made ahead: before the first step, then behind the update of their lines, for the next step") :
    ]
    lines = made.split("\n")
    assert [line.split()[:2] for line in lines[1:3]] == [["map_cast_multiply", "h_rescale"], ["dense", "h_relu_share"]]
    assert "why: its 2 shares are made ahead, each by a thread in whose cache its lines of the kernel lie" in text
    assert "made ahead" not in print_plan(plan(WIDE, "products_ahead"), "train")


def test_it_can_be_left_out() -> None:
    made = plan(WIDE, "products_ahead")
    assert not made.ahead and made.train is not None
    assert "add_shares" not in {launch.kernel for launch in made.train.launches}


@pytest.mark.parametrize("name", MODELS)
def test_it_gives_what_numpy_gives(name: str) -> None:
    """Two calls of three steps, the last one of three rows; all memory besides weights is NaN before each call."""
    source = MODELS[name]
    assert plan(source).ahead
    wanted = results(module(source, target="numpy"))
    assert_equal(wanted, results(module(source), threads=2), 1e-11)
    assert_equal(wanted, results(module(source, without=frozenset({"products_ahead"}))), 1e-11)


@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_threads_gives_the_same_bits(name: str) -> None:
    made = module(MODELS[name], dtype="f32")
    one = results(made, threads=1)
    for threads in (2, 5):
        for key, value in results(made, threads=threads).items():
            assert np.array_equal(value, one[key]), (threads, key)


def test_training_goes_on_after_a_step_that_was_not_finite() -> None:
    """The step does nothing, and the next call begins with products of its own."""
    made = module(WIDE, dtype="f32")
    (inputs, targets), cores = data(made), [engine(made, 1), engine(made, 2)]
    order, hyper = np.arange(19), np.tile(list(made.DECLARATION.training.numbers.values()), (19, 1))
    for core in cores:
        for name, value in weights(made).items():
            core.set_weight(name, value)
        core.set_weight("h.dense_2.bias", np.full(5, np.nan, np.float32))
        assert core.train(inputs, targets, order, 8, 0, 7, hyper)[1] == 0
        core.set_weight("h.dense_2.bias", np.zeros(5, np.float32))
        poison(core)
        assert core.train(inputs, targets, order, 8, 0, 7, hyper)[1] == -1
    fresh = engine(made, 1)
    for name, value in weights(made).items():
        fresh.set_weight(name, value)
    fresh.set_weight("h.dense_2.bias", np.zeros(5, np.float32))
    fresh.train(inputs, targets, order, 8, 0, 7, hyper)
    for weight in made.DECLARATION.weights:
        for core in cores:
            assert np.array_equal(core.get_weight(weight.name), fresh.get_weight(weight.name)), weight.name


def test_the_module_says_what_it_does() -> None:
    compiled = compile_file(Source("m.kmodel", WIDE))
    train = re.search(r"^def train\(.*?^\S", compiled.text, re.M | re.S)
    assert train is not None
    assert "# Before the first step: its first products." in train[0]
    assert "then the first products of the next step." in train[0]
