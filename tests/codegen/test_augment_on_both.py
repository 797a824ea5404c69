"""Augmented training: the same numbers on both targets and with any number of threads, nothing of it outside of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba_models import module

from kdsl.elaborate import elaborate
from kdsl.graph.verify import verify
from kdsl.source import Source
from kdsl.syntax import parse

ALL = "[flip_horizontal, flip_vertical, pad_crop(1), shift(0.1), rotate(10), zoom(0.1), contrast(0.2), brightness(0.1), cutout(2)]"
ROWS = 21
CONV = "rescale(1 / 255) -> conv(4, kernel = 3) -> relu -> flatten -> dropout(0.2) -> dense(5)"


def source(augment: str, flow: str = CONV, image: str = "u8[6, 7, 3]", more: str = "") -> str:
    setting = f"augment = {augment}" if augment else ""
    return f"""\
model M {{
  input x: {image}
  target t: index(5)
  h = x -> {flow}
  output y = h
  {more}
}}
train M {{
  loss      = cross_entropy(h, t)
  optimizer = adam(lr = 0.01)
  {setting}
  batch     = 8
}}
"""


def data(made: Any) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    (port,) = made.DECLARATION.inputs
    shape = (ROWS, *port.shape)
    if port.dtype == "u8":
        x = rng.integers(0, 256, shape).astype(np.uint8)
    else:
        x = rng.uniform(0, 1, shape).astype(made.DECLARATION.scalar)
    return x, rng.integers(0, 5, ROWS)


def trained(made: Any, epochs: int = 2, threads: int | None = 1) -> Any:
    model = made.M(seed=3, threads=threads)
    x, t = data(made)
    model.fit(x, t, epochs=epochs, verbose=0)
    return model


def same(one: Any, other: Any) -> None:
    """Two trainings gave the same losses and weights, to rounding in double precision."""
    np.testing.assert_allclose(one.history.history["loss"], other.history.history["loss"], rtol=1e-9)
    first, second = one.get_weights(), other.get_weights()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-6, atol=1e-9, err_msg=name)


def differ(one: Any, other: Any) -> bool:
    first, second = one.get_weights(), other.get_weights()
    return any(not np.allclose(value, second[name], rtol=1e-3) for name, value in first.items())


def test_both_targets_train_on_the_same_images() -> None:
    one, other = (trained(module(source(ALL), target)) for target in ("numpy", "numba"))
    same(one, other)


@pytest.mark.parametrize(
    "augment",
    [
        *("flip_horizontal", "flip_vertical", "pad_crop(2)", "shift(0.3)", "rotate(25)", "zoom(0.4)", "contrast(0.5)"),
        *("brightness(0.4)", "cutout(3)"),
    ],
)
def test_each_of_them_changes_the_training(augment: str) -> None:
    assert differ(trained(module(source(augment), "numpy")), trained(module(source(""), "numpy")))


@pytest.mark.parametrize(
    ("flow", "image"),
    [
        ("flatten -> rescale(1 / 255) -> dense(8) -> relu -> dense(5)", "u8[6, 7]"),
        ("conv(3, kernel = 3, pad = same) -> batch_norm -> relu -> flatten -> dense(5)", "f32[5, 6, 20]"),
        ("reshape([30]) -> standardize -> dense(5)", "u8[5, 6]"),
    ],
)
def test_images_of_every_kind(flow: str, image: str) -> None:
    text = source(ALL, flow, image)
    same(trained(module(text, "numpy")), trained(module(text, "numba")))


LAYERS = [
    "random_flip",
    "random_flip(mode = vertical)",
    "random_translation(height_factor = 0.2, width_factor = 0.1)",
    "random_rotation(0.1)",
    "random_zoom(0.3)",
    "random_contrast(0.4)",
    "random_brightness(0.3)",
]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_change_the_training(layer: str) -> None:
    text = source("", f"{layer} -> {CONV}")
    assert differ(trained(module(text, "numpy")), trained(module(source(""), "numpy")))


def test_layers_on_both_targets() -> None:
    text = source("", f"{' -> '.join(LAYERS)} -> {CONV}")
    same(trained(module(text, "numpy")), trained(module(text, "numba")))


def test_layers_and_the_list_draw_apart() -> None:
    """Each has a stream of its own: a flip that is undone by the same flip would leave the images as they are."""
    text = source("flip_horizontal", f"random_flip(mode = horizontal) -> {CONV}")
    assert differ(trained(module(text, "numpy")), trained(module(source(""), "numpy")))
    streams = [n.attribute("stream") for n in train_graph(text).nodes if "stream" in n.keywords and n.op != "dropout"]
    assert len(set(streams)) == len(streams) == 2


def train_graph(text: str) -> Any:
    return elaborated(text).graph


def elaborated(text: str) -> Any:
    (program,) = elaborate(parse(Source("m.kmodel", text)).tree).models
    return program


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_nothing_is_changed_outside_of_training(target: str) -> None:
    plain, augmented = (module(source(text), target).M(seed=3) for text in ("", ALL))
    x, t = data(module(source(""), "numpy"))
    augmented.set_weights(plain.get_weights())
    assert np.array_equal(plain.predict(x), augmented.predict(x))
    assert plain.evaluate(x, t) == augmented.evaluate(x, t)


def test_threads_give_the_same_bits() -> None:
    made = module(source(ALL).replace("batch     = 8", "batch     = 64"), "numba", "f32")
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (150, 6, 7, 3)).astype(np.uint8), rng.integers(0, 5, 150)
    found = []
    for threads in (1, 2):
        model = made.M(seed=3, threads=threads)
        model.fit(x, t, epochs=2, verbose=0)
        found.append((model.history.history["loss"], model.get_weights()))
    assert found[0][0] == found[1][0]
    assert all(np.array_equal(value, found[1][1][name]) for name, value in found[0][1].items())


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_resumed_training_continues_the_same_numbers(target: str, tmp_path: Path) -> None:
    made = module(source(ALL), target)
    whole = trained(made, epochs=3)
    half = trained(made, epochs=1)
    half.save(tmp_path / "w.npz")
    resumed = made.M.load(tmp_path / "w.npz", threads=1)
    x, t = data(made)
    resumed.fit(x, t, epochs=2, verbose=0)
    for name, value in whole.get_weights().items():
        assert np.array_equal(value, resumed.get_weights()[name]), name


def test_every_reader_of_the_image_gets_the_changed_one() -> None:
    """In the graph: nothing but the first cast reads the input, and what kept its bytes is f32 now."""
    text = source("[flip_horizontal, cutout(2)]", more="output same = x -> flatten\n  output tile = x[0:2, :, :]")
    program = elaborated(text)
    readers = [node.op for node in program.graph if "x" in node.inputs]
    assert readers == ["cast"]
    assert {name: str(type) for name, type in program.outputs}["same"] == "f32[126]"
    verify(program.graph)
    for target in ("numpy", "numba"):
        model = module(text, target).M(seed=3)
        x, _ = data(module(text, "numpy"))
        assert np.array_equal(model.predict(x)["same"], x.reshape(ROWS, -1))
