"""The comparison of accuracies: a small training in a process of its own, going on after a break, and the settings of the twins."""

from __future__ import annotations

import gzip
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
RNG = np.random.default_rng(3)


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of benchmarks/, which is no package, without leaving a trace in this process."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for other in ("accuracy", "training", "twins", "peers", "process", "workloads"):
        monkeypatch.delitem(sys.modules, other, raising=False)
    return importlib.import_module(name)


def idx_files(folder: Path, rows: int) -> None:
    """Pictures whose brightness tells the class."""
    for kind in ("train", "t10k"):
        labels = RNG.integers(0, 10, rows).astype(np.uint8)
        pictures = np.zeros((rows, 28, 28), np.uint8)
        for row, label in enumerate(labels):
            pictures[row, 2 * label : 2 * label + 3] = 255
        for name, array in ((f"{kind}-images-idx3", pictures), (f"{kind}-labels-idx1", labels)):
            sizes = b"".join(length.to_bytes(4, "big") for length in array.shape)
            (folder / f"{name}-ubyte").write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def records(labels: list[int]) -> bytes:
    return b"".join(
        bytes([label]) + bytes([label + 1]) * 1024 + bytes([label + 2]) * 1024 + bytes(1024) for label in labels
    )


def test_a_training_is_run_kept_and_not_run_again(tmp_path: Path) -> None:
    idx_files(tmp_path, 640)
    numbers = tmp_path / "numbers.json"
    command = [sys.executable, str(FOLDER / "accuracy.py"), "--data", str(tmp_path), "--who", "kdsl", "--seeds", "0"]
    command += ["--epochs", "3", "--falls", "1", "2", "--json", str(numbers)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "kdsl fashion_mlp seed 0, epoch 3: loss" in done.stderr
    (training,) = json.loads(numbers.read_text())["trainings"]
    settings = ("model", "who", "seed", "epochs", "rows", "falls")
    assert [training[key] for key in settings] == ["fashion_mlp", "kdsl", 0, 3, None, [1, 2]]
    assert len(training["history"]["loss"]) == 3
    assert training["accuracy"] == training["history"]["val_accuracy"][2] > 0.5  # a tenth is chance
    assert training["seconds"] > 0
    numbers.write_text(json.dumps({"trainings": [training | {"accuracy": 0.1234}]}))
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0 and again.stderr == ""
    assert "kdsl   test accuracy 0.1234 (seed 0); mean 0.1234" in again.stdout


def test_data_of_no_folder_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "accuracy.py"), "--data", str(tmp_path)]
    done = subprocess.run([*command, "--models", "resnet20"], capture_output=True, text=True)
    assert done.returncode == 1 and "no folder of --data has the pictures of resnet20" in done.stderr


def test_only_the_same_settings_count_as_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy = module("accuracy", monkeypatch)
    wanted = {"model": "resnet20", "who": "kdsl", "seed": 1, "epochs": 15, "rows": None}
    known = [
        wanted | other | {"accuracy": 0.5} for other in ({"epochs": 5}, {"rows": 100}, {"seed": 0}, {"who": "keras"})
    ]
    assert accuracy.find(known, wanted) is None
    assert accuracy.find([*known, wanted | {"accuracy": 0.7}], wanted)["accuracy"] == 0.7


def test_the_difference_is_that_of_the_means_in_points(monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy = module("accuracy", monkeypatch)
    values = {("keras", 0): 0.70, ("keras", 1): 0.72, ("kdsl", 0): 0.73, ("kdsl", 1): 0.71}
    done = [{"who": who, "seed": seed, "epochs": 15, "accuracy": value} for (who, seed), value in values.items()]
    assert "kdsl minus Keras: +1.00 points" in accuracy.table("cifar_cnn", done)
    assert "minus" not in accuracy.table("cifar_cnn", done[:2])


def test_cifar_files_are_joined_in_order_and_each_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = module("training", monkeypatch)
    (tmp_path / "data_batch_1.bin").write_bytes(records([3, 1]))
    (tmp_path / "data_batch_1.bin.gz").write_bytes(gzip.compress(records([3, 1])))
    (tmp_path / "data_batch_2.bin.gz").write_bytes(gzip.compress(records([4, 5])))
    (tmp_path / "test_batch_first1.bin.gz").write_bytes(gzip.compress(records([9])))
    assert training.has_data("cifar_cnn", tmp_path) and not training.has_data("fashion_mlp", tmp_path)
    x, y, test_x, test_y = training.datasets("cifar_cnn", tmp_path, 3)
    assert y.tolist() == [3, 1, 4] and test_y.tolist() == [9]
    assert x.shape == (3, 32, 32, 3) and x[2, 5, 7].tolist() == [5, 6, 0] and test_x[0, 0, 0].tolist() == [10, 11, 0]


def test_twins_have_the_batches_of_their_models(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = module("twins", monkeypatch).TWINS
    for name, twin in twins.items():
        text = (ROOT / "models" / f"{name}.kmodel").read_text()
        assert re.findall(r"^  batch += (\d+)$", text, re.M) == [str(twin.batch)], name
