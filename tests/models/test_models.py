"""Every model of `models/`: formatted, without a warning, of the size that its paper says, and trained for two steps."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kdsl.cli import main
from kdsl.compiler import compile_file, load
from kdsl.source import Source

FOLDER = Path(__file__).parents[2] / "models"
FILES = sorted(FOLDER.rglob("*.kmodel"))
MODELS = sorted(FOLDER.glob("*.kmodel"))
# Keras's examples print the first two, and so many a ResNet-20 without weights in its shortcuts has.
TRAINED_WEIGHTS = {"mnist_cnn": 34_826, "cifar_cnn": 1_250_858, "resnet20": 269_722}
ROWS = 4


def drawn(port: Any, rng: np.random.Generator) -> np.ndarray:
    """Made-up data of a declared type."""
    shape = (ROWS, *port.shape)
    if port.dtype == "u8":
        return rng.integers(0, 256, shape).astype(np.uint8)
    if port.dtype == "f32":
        return rng.uniform(0, 1, shape).astype(np.float32)
    return rng.integers(0, port.classes, shape).astype(np.int32)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_formatted_and_without_a_warning(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["format", "--check", str(path)]) == 0, capsys.readouterr()
    assert main(["lint", str(path)]) == 0, capsys.readouterr()
    assert "No problems" in capsys.readouterr().out
    assert "##" in path.read_text()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_two_steps_of_training(path: Path) -> None:
    made = load(path, target="numpy")
    model = getattr(made, made.DECLARATION.name)(seed=0)
    rng = np.random.default_rng(0)
    ports = made.DECLARATION
    inputs, targets = (tuple(drawn(port, rng) for port in side) for side in (ports.inputs, ports.targets))
    before = model.get_weights()
    if path.stem in TRAINED_WEIGHTS:
        assert sum(before[w.name].size for w in ports.weights if w.trainable) == TRAINED_WEIGHTS[path.stem]
    history = model.fit(inputs, targets, batch_size=2, epochs=1, shuffle=False, validation_split=0.0, verbose=0).history
    assert math.isfinite(history["loss"][-1])
    for key, value in model.get_weights().items():
        assert np.isfinite(value).all() and not np.array_equal(value, before[key]), key


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_compiles_for_both_targets(path: Path) -> None:
    for target in ("numba", "numpy"):
        compiled = compile_file(path, target=target)
        assert isinstance(compiled.source, Source) and compiled.text is not None and not compiled.diagnostics


@pytest.mark.parametrize(
    ("settings", "weights"), [({"project": "true"}, 272_474), ({"depth": "5"}, 464_154), ({"depth": "1"}, 75_290)]
)
def test_other_residual_networks(settings: dict[str, str], weights: int) -> None:
    compiled = compile_file(FOLDER / "resnet20.kmodel", settings=settings, target="numpy")
    assert not compiled.diagnostics
    (program,) = compiled.programs
    assert sum(math.prod(w.shape) for w in program.weights if w.trainable) == weights
