"""A generated module as a program."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def files(tmp_path, data):
    x, y = data
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return tmp_path


def run(built, folder, *arguments, name="small.py"):
    return subprocess.run(
        [sys.executable, str(built / name), *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )


def test_train_evaluate_predict(small, built, files, data):
    done = run(built, files, "train", "--data", "data.npz", "--epochs", "4", "--batch", "10", "--save", "w.npz")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 4 and done.stderr == ""
    model = small.Small.load(files / "w.npz")
    assert model._iterations == 16
    done = run(built, files, "evaluate", "--data", "data.npz", "--weights", "w.npz")
    results = model.evaluate(*data)
    assert done.stdout == f"loss {results['loss']:.6g}  accuracy {results['accuracy']:.6g}\n"
    done = run(built, files, "predict", "--data", "data.npz", "--weights", "w.npz", "--output", "p.npz")
    assert done.returncode == 0
    with np.load(files / "p.npz") as archive:
        assert np.array_equal(archive["p"], model.predict(data[0]))
    done = run(built, files, "predict", "--data", "data.npz", "--weights", "w.npz")
    assert done.stdout.startswith("p: float32[40, 3]\n[[0.")


def test_train_goes_on_from_weights(small, built, files):
    run(built, files, "train", "--data", "data.npz", "--save", "first.npz", "--seed", "5")
    done = run(
        built, files, "train", "--data", "data.npz", "--epochs", "0", "--weights", "first.npz", "--save", "second.npz"
    )
    assert done.returncode == 0 and not (files / "second.npz").exists()  # nothing was trained
    done = run(
        built, files, "train", "--data", "data.npz", "--epochs", "1", "--weights", "first.npz", "--save", "second.npz",
        "--validation-split", "0.2",
    )  # fmt: skip
    assert "val_loss" in done.stdout and (files / "second.npz").exists()


def test_summary(small, built, files):
    done = run(built, files, "summary")
    assert done.returncode == 0 and "Small (small.kmodel)" in done.stdout and "training memory" in done.stdout


MISTAKES = [
    (["train", "--data", "nothing.npz"], 1, "error: nothing.npz: No such file or directory\n"),
    (["train", "--data", "images.npz"], 1, "error: images.npz has no array for x: f32[4], y: index(3); it has image\n"),
    (["train", "--data", "text.npz"], 1, "error: "),
    (["evaluate", "--data", "data.npz", "--weights", "data.npz"], 1, "no kdsl module saved it\n"),
    (["train", "--data", "data.npz", "--batch", "0"], 1, "error: batch_size is a whole number of at least 1, not 0\n"),
    (["train", "--data", "data.npz", "--epochs", "many"], 2, "argument --epochs: invalid int value: 'many'\n"),
    (["train"], 2, "the following arguments are required: --data\n"),
    (["evaluate", "--data", "data.npz"], 2, "the following arguments are required: --weights\n"),
    (["fly"], 2, "invalid choice: 'fly'"),
    ([], 2, "the following arguments are required"),
]


@pytest.mark.parametrize(("arguments", "code", "text"), MISTAKES)
def test_mistakes(small, built, files, arguments, code, text):
    np.savez(files / "images.npz", image=np.zeros(3))
    (files / "text.npz").write_text("x,y\n")
    done = run(built, files, *arguments)
    assert done.returncode == code and text in done.stderr and "Traceback" not in done.stderr


def test_a_pipe_that_closes_early(small, built, files):
    run(built, files, "train", "--data", "data.npz", "--save", "w.npz")
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(built / 'small.py'))} summary | true"
    done = subprocess.run(["bash", "-c", command], cwd=files, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_several_models_in_one_module(built, tmp_path):
    from made_modules import SMALL, UNTRAINED, build

    module = build(built, SMALL + UNTRAINED, "several")
    np.savez(tmp_path / "data.npz", x=np.ones((2, 4)))
    module.Untrained().save(tmp_path / "w.npz")
    done = run(
        built,
        tmp_path,
        "predict",
        "--model",
        "Untrained",
        "--data",
        "data.npz",
        "--weights",
        "w.npz",
        name="several.py",
    )
    assert done.stdout.startswith("y: float32[2, 2]")
    done = run(built, tmp_path, "train", "--model", "Untrained", "--data", "data.npz", name="several.py")
    assert done.returncode == 1 and "has no `train Untrained" in done.stderr
    assert "Small (several.kmodel)" in run(built, tmp_path, "summary", name="several.py").stdout


def test_needs_neither_kdsl_nor_the_folder_it_was_built_in(small, built, files):
    code = "import sys; sys.path.insert(0, %r); import small; print('kdsl' in sys.modules, 'numba' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code % str(built)], cwd=files, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "False False\n"
