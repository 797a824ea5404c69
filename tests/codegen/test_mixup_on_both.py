"""`augment = [mixup]`: what is trained on, against a training written in NumPy; the same on both targets and for any threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba_models import module

from kdsl.elaborate import elaborate
from kdsl.graph.verify import verify
from kdsl.ops import OPS
from kdsl.passes.pipeline import make_graphs
from kdsl.source import Source
from kdsl.syntax import parse

ROWS, BATCH, RATE = 21, 8, 0.5
CONV = "rescale(1 / 255) -> conv(4, kernel = 3) -> relu -> flatten -> dropout(0.2) -> dense(5)"


def source(augment: str, flow: str = CONV, image: str = "u8[6, 7, 3]", batch: int = BATCH, **settings: str) -> str:
    given = {
        "target t": "index(5)",
        "loss": "cross_entropy(h, t, smoothing = 0.1)",
        "metrics": "[accuracy(h, t), top_k(h, t, k = 2)]",
        "optimizer": f"sgd(lr = {RATE})",
        "more": "",
        **settings,
    }
    return f"""\
model M {{
  input x: {image}
  {given["more"]}
  target t: {given["target t"]}
  h = x -> {flow}
  output h
}}
train M {{
  loss      = {given["loss"]}
  metrics   = {given["metrics"]}
  optimizer = {given["optimizer"]}
  {f"augment = {augment}" if augment else ""}
  batch     = {batch}
}}
"""


def drawn(made: Any, rows: int = ROWS) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(4)

    def array(port: Any) -> np.ndarray:
        shape = (rows, *port.shape)
        if port.dtype == "f32":
            return rng.normal(0, 1, shape).astype(made.DECLARATION.scalar)
        high, dtype = {"u8": (256, np.uint8), "bool": (2, bool)}.get(port.dtype, (port.classes, np.int32))
        return rng.integers(0, high, shape).astype(dtype)

    ports = made.DECLARATION
    return tuple(map(array, ports.inputs)), tuple(map(array, ports.targets))


def trained(text: str, target: str, dtype: str = "f64", threads: int = 1, rows: int = ROWS, epochs: int = 2) -> Any:
    made = module(text, target, dtype)
    model = made.M(seed=3, threads=threads)
    model.fit(*drawn(made, rows), epochs=epochs, verbose=0)
    return model


def same(text: str) -> None:
    """Both targets give the same losses, metrics and weights, to rounding in double precision."""
    one, other = (trained(text, target) for target in ("numpy", "numba"))
    for name, values in one.history.history.items():
        np.testing.assert_allclose(values, other.history.history[name], rtol=1e-9, err_msg=name)
    first, second = one.get_weights(), other.get_weights()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-6, atol=1e-9, err_msg=name)


# -- what is trained on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_a_step_is_that_of_the_paper(target: str) -> None:
    """One step of a linear model, batch by batch: loss, accuracy and weights as written out here."""
    text = source("[mixup(0.7)]", "dense(4)", "f32[6]", **{"target t": "index(4)", "loss": "cross_entropy(h, t)"})
    made = module(text.replace(", top_k(h, t, k = 2)", ""), target)
    model = made.M(seed=3, threads=1)
    (x,), (t,) = drawn(made)
    kernel, bias = model.get_weights().values()
    losses, right = 0.0, 0
    for step, start in enumerate(range(0, ROWS, BATCH)):
        own, label = x[start : start + BATCH], t[start : start + BATCH]
        share = OPS["random_share"].reference(own, alpha=0.7, stream=0, seed=3, step=step, dtype="float64")
        mixed = share[:, None] * own + (1 - share[:, None]) * np.roll(own, -1, axis=0)
        z = mixed @ kernel + bias
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        rows, partner = np.arange(len(own)), np.roll(label, -1)
        losses -= (share * logs[rows, label] + (1 - share) * logs[rows, partner]).sum()
        right += (z.argmax(axis=1) == np.where(share > 0.5, label, partner)).sum()
        wanted = share[:, None] * np.eye(4)[label] + (1 - share[:, None]) * np.eye(4)[partner]
        towards = (np.exp(logs) - wanted) / len(own)
        kernel, bias = kernel - RATE * mixed.T @ towards, bias - RATE * towards.sum(axis=0)
    found = model.fit(x, t, epochs=1, shuffle=False, validation_split=0.0, verbose=0).history
    assert found["loss"][0] == pytest.approx(losses / ROWS, rel=1e-9)
    assert found["accuracy"][0] == pytest.approx(right / ROWS)
    for value, hoped in zip(model.get_weights().values(), (kernel, bias), strict=True):
        np.testing.assert_allclose(value, hoped, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_yes_or_no_counts_as_the_answer_of_the_larger_share(target: str) -> None:
    text = source(
        "mixup(1)",
        "dense(1)",
        "f32[6]",
        64,
        **{"target t": "bool", "loss": "binary_cross_entropy(h, t)", "metrics": "[accuracy(h, t), mae(h, t)]"},
    )
    made = module(text, target)
    model = made.M(seed=3, threads=1)
    (x,), (t,) = drawn(made)
    kernel, bias = model.get_weights().values()
    share = OPS["random_share"].reference(x, alpha=1.0, stream=0, seed=3, step=0, dtype="float64")
    z = ((share[:, None] * x + (1 - share[:, None]) * np.roll(x, -1, axis=0)) @ kernel + bias)[:, 0]
    found = model.fit(x, t, epochs=1, shuffle=False, validation_split=0.0, verbose=0).history
    wanted = share * t + (1 - share) * np.roll(t, -1)
    assert found["accuracy"][0] == pytest.approx(np.mean((z > 0) == np.where(share >= 0.5, t, np.roll(t, -1))))
    assert found["mae"][0] == pytest.approx(np.abs(z - wanted).mean(), rel=1e-9)
    assert found["loss"][0] == pytest.approx(np.mean(np.log1p(np.exp(z)) - z * wanted), rel=1e-9)


# -- both targets ------------------------------------------------------------------------------------------------------

TWO = """input place: f32[2, 2]
  input seen: bool
  target price: f32[5]
  far = concat([place -> flatten, seen -> reshape([1])]) -> dense(5)"""
LATE = "conv(16, kernel = 3, pad = same) -> batch_norm -> relu -> flatten -> dense(5)"
TEXTS = {
    "behind other changes": source("[flip_horizontal, pad_crop(1), mixup(0.4)]"),
    "twice, and before another": source("[mixup, mixup(alpha = 2), cutout(2)]", "flatten -> dense(5)"),
    "statistics of the batch": source("[mixup(1)]", LATE, "f32[5, 6, 20]"),
    "standardized": source("[mixup(1)]", "flatten -> standardize -> dense(5)", "u8[5, 6]"),
    "classes of places": source("mixup", "conv(5, kernel = 1)", "u8[4, 3, 1]", **{"target t": "index(5)[4, 3]"}),
    "shares of classes": source("mixup", "dense(5)", "f32[6]", **{"target t": "f32[5]"}),
    "a squeezed class": source("mixup", "dense(5)", "f32[6]", **{"target t": "index(5)[1]"}),
    "one-hot by hand": source("mixup", "dense(5)", "f32[6]", loss="mse(h, one_hot(t))", metrics="[mae(h, one_hot(t))]"),
    "a part of the classes": source(
        "mixup",
        "dense(5)",
        "f32[6]",
        **{"target t": "index(5)[3]", "loss": "cross_entropy(h, t[1])", "metrics": "[accuracy(h, t[0])]"},
    ),
    "several of both": source(
        "mixup",
        "dense(5)",
        "u8[6]",
        more=TWO,
        loss="cross_entropy(h, t) + 0.3 * mse(far, price)",
        metrics="[accuracy(h, t), mae(far, price)]",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_both_targets_train_on_the_same_mixtures(name: str) -> None:
    same(TEXTS[name])


def test_threads_give_the_same_bits() -> None:
    """The batch is of several blocks of rows, and the next row is one of another block."""
    text = source("[flip_horizontal, mixup(1)]", batch=300)
    assert 2 * module(text, "numba", "f32").BLOCK_ROWS < 300
    one, two = (trained(text, "numba", "f32", threads, rows=620) for threads in (1, 2))
    again = trained(text, "numpy", "f32", rows=620)
    assert one.history.history == two.history.history
    for name, value in one.get_weights().items():
        assert np.array_equal(value, two.get_weights()[name]), name
        np.testing.assert_allclose(value, again.get_weights()[name], atol=1e-5)


# -- elsewhere nothing -------------------------------------------------------------------------------------------------


PLAIN, MIXED = (source(augment, "dense(5)", "f32[6]") for augment in ("", "mixup"))


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_nothing_is_mixed_outside_of_training(target: str) -> None:
    plain, mixed = (module(text, target).M(seed=3, threads=1) for text in (PLAIN, MIXED))
    (x,), (t,) = drawn(module(PLAIN, "numpy"))
    mixed.set_weights(plain.get_weights())
    assert np.array_equal(plain.predict(x), mixed.predict(x))
    assert plain.evaluate(x, t) == mixed.evaluate(x, t)
    for model in (plain, mixed):
        model.fit(x, t, epochs=1, verbose=0)
    assert not np.allclose(*(model.get_weights()["h.dense.kernel"] for model in (plain, mixed)), rtol=1e-3)


@pytest.mark.parametrize("name", TEXTS)
def test_graphs_are_legal_and_compare_with_classes_at_inference(name: str) -> None:
    (program,) = elaborate(parse(Source("m.kmodel", TEXTS[name])).tree).models
    verify(program.graph, "forward")
    graphs = make_graphs(program, check=True)
    assert graphs.train is not None and graphs.evaluate is not None
    assert any(node.op == "mix_rows" for node in graphs.train)
    assert not any(node.op in ("mix_rows", "random_share") for node in (*graphs.evaluate, *graphs.predict))
    sparse = [node for node in graphs.evaluate if node.op.startswith("sparse")]
    assert bool(sparse) == ("cross_entropy" in TEXTS[name] and "index" in TEXTS[name])


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_a_batch_of_one_row_is_mixed_with_itself(target: str) -> None:
    found = []
    for text in (PLAIN, MIXED):
        made = module(text, target)
        model = made.M(seed=3, threads=1)
        model.fit(*drawn(made), epochs=1, batch_size=1, verbose=0)
        found.append(model.get_weights())
    for name, value in found[0].items():
        np.testing.assert_allclose(value, found[1][name], rtol=1e-12, atol=1e-14)
