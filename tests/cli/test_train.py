"""`kdsl train` on real and made data, with the NumPy target where the numbers do not matter."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

NUMPY = ("--target", "numpy")
DIGITS = Path(__file__).resolve().parents[2] / "models" / "digits.kmodel"


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Three well separated clouds, with a test part."""
    random = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = (random.normal(size=(90, 4)) * 0.1 + np.eye(3, 4)[y]).astype(np.float32)
    np.savez(tmp_path / "clouds.npz", x=x[:60], y=y[:60], test_x=x[60:], test_y=y[60:], notes=y)
    return "clouds.npz"


def test_digits(kdsl) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    done = kdsl("train", DIGITS, "--data", "sklearn:digits", "--epochs", "2", *NUMPY)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "sklearn:digits: 1,438 rows to train, 359 to test"
    assert [line.split(" - ")[0] for line in lines[1:3]] == ["Epoch 1/2", "Epoch 2/2"]
    accuracy = re.fullmatch(r"Test on 359 rows - loss: \d\.\d{4} - accuracy: (0\.\d{4})", lines[3])
    assert accuracy and float(accuracy[1]) > 0.8


def test_what_was_trained_is_saved_and_loads(kdsl, tiny: Path, data: str, tmp_path: Path) -> None:
    done = kdsl("train", tiny, "--data", data, *NUMPY, "--epochs", "30", "--lr", "0.05", "--save", "w.npz")
    assert done.returncode == 0
    assert "saved w.npz\nTest on 30 rows" in done.stdout
    assert done.stdout.endswith("accuracy: 1.0000\n")
    assert "not used: notes" in done.stderr
    assert kdsl("build", tiny, *NUMPY).returncode == 0
    code = "import sys; sys.path.insert(0, '.'); from tiny import Tiny; print(Tiny.load('w.npz').evaluate(*map(__import__('numpy').load('clouds.npz').get, ['x', 'y']))['accuracy'])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert loaded.stdout == "1.0\n", loaded.stderr


def test_the_same_seed_gives_the_same_weights(kdsl, tiny: Path, data: str, tmp_path: Path) -> None:
    def weights(seed: int) -> bytes:
        assert kdsl("train", tiny, "--data", data, "--seed", seed, "--save", "w.npz", "-q").returncode == 0
        return (tmp_path / "w.npz").read_bytes()

    first = weights(1)
    assert first == weights(1)
    assert first != weights(2)


def test_settings_of_the_command_line(kdsl, tiny: Path, data: str) -> None:
    def train(*options: str) -> subprocess.CompletedProcess[str]:
        return kdsl("train", tiny, "--data", data, *NUMPY, *options)

    assert train("--epochs", "1").stdout.count("Epoch ") == 1
    assert train().stdout.count("Epoch ") == 3
    assert "val_accuracy" in train("--validation-split", "0.2").stdout
    quiet = train("-q")
    assert quiet.stdout.startswith("Test on 30 rows") and quiet.stdout.count("\n") == 1 and quiet.stderr == ""
    assert train("-q", "--lr", "0").stdout != quiet.stdout != train("-q", "--hyper", "beta1=0.1").stdout
    assert train("-q", "--batch", "60").stdout != quiet.stdout


def test_test_data_of_its_own(kdsl, tiny: Path, data: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.ones((7, 4), np.float32), y=np.zeros(7, np.int64))
    assert "Test on 7 rows" in kdsl("train", tiny, "--data", data, "--test", "other.npz", *NUMPY).stdout
    assert "Test on 30 rows" in kdsl("train", tiny, "--data", "other.npz", "--test", data, *NUMPY).stdout
    assert "Test" not in kdsl("train", tiny, "--data", "other.npz", *NUMPY).stdout


def test_columns_of_a_table(kdsl, tiny: Path, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i % 2},{i % 3},1,{i % 3}" for i in range(12))
    (tmp_path / "t.csv").write_text(f"a,b,c,d,y\n{rows}\n", encoding="utf-8")
    assert kdsl("train", tiny, "--data", "t.csv", *NUMPY).returncode == 0
    assert kdsl("train", tiny, "--data", "t.csv", "--columns", "x=d,c,b,a", *NUMPY).returncode == 0
    wrong = kdsl("train", tiny, "--data", "t.csv", "--columns", "x=d,c,b", *NUMPY)
    assert wrong.returncode == 2 and "x: f32[4] (" in wrong.stderr and "needs 4 columns, 3 are given" in wrong.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "nowhere.npz"], "there is no file or folder nowhere.npz"),
        (["--data", "tiny.kmodel"], "tiny.kmodel is of no kind that kdsl reads"),
        (["--data", "clouds.npz", "--epochs", "0"], "0 is not a whole number of at least 1"),
        (["--data", "clouds.npz", "--lr", "fast"], "fast is not a number of at least 0"),
        (["--data", "clouds.npz", "--hyper", "beta=1"], "adam has no number beta\n  help: did you mean beta1?"),
        (["--data", "clouds.npz", "--hyper", "beta1=x"], "--hyper beta1=x gives no number"),
        (["--data", "clouds.npz", "--columns", "x"], "--columns x names no columns"),
        (["--data", "clouds.npz", "--validation-split", "2"], "validation_split is a share of the rows"),
        (["--data", "clouds.npz", "--seed", "-1"], "seed is a whole number of at least 0"),
        (["--data", "clouds.npz", "--save", "w.h5"], "w.h5 does not end so"),
        (["--data", "clouds.npz", "--save", "nowhere/w.npz"], "no folder nowhere"),
        ([], "arguments are required: --data"),
    ],
)
def test_what_cannot_be_used_is_exit_2_and_said_in_a_line(
    kdsl, tiny: Path, data: str, options: list[str], says: str
) -> None:
    done = kdsl("train", "tiny.kmodel", *NUMPY, *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr and "Epoch" not in done.stdout


def test_a_model_without_a_train_block(kdsl, tiny: Path, data: str) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").split("train Tiny")[0], encoding="utf-8")
    done = kdsl("train", "tiny.kmodel", "--data", data, *NUMPY)
    assert done.returncode == 1
    assert "Tiny has no `train Tiny { ... }` block" in done.stderr


def test_a_loss_that_becomes_infinite_is_exit_1(kdsl, tiny: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "huge.npz", x=np.full((64, 4), 1e38, np.float32), y=np.zeros(64, np.int64))
    done = kdsl("train", tiny, "--data", "huge.npz", *NUMPY, "--lr", "1e30", "--save", "w.npz")
    assert done.returncode == 1
    assert "the loss is not finite in epoch 1, step " in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "w.npz").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX's")
def test_control_c_saves_and_is_exit_130(tiny: Path, data: str, tmp_path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "kdsl", "train", "tiny.kmodel", "--data", data, *NUMPY]
    process = subprocess.Popen(
        [*command, "--epochs", "1000000", "--save", "w.npz"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    while "Epoch 2/" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"error: interrupted after \d+ whole epochs", err) and "Traceback" not in err
    assert out.endswith("saved w.npz\n")
    assert "logits.dense.kernel" in np.load(tmp_path / "w.npz").files


def test_the_cache_is_used_again_and_a_damaged_file_in_it_is_written_anew(
    kdsl, tiny: Path, data: str, tmp_path: Path
) -> None:
    def train() -> str:
        done = kdsl("train", tiny, "--data", data, *NUMPY, "-q", KDSL_CACHE_DIR=str(tmp_path / "cache"))
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = train()
    (module,) = (tmp_path / "cache").glob("tiny-*/tiny.py")
    module.write_text("raise SystemExit('not what was compiled')\n", encoding="utf-8")
    assert train() == first
    assert "class Tiny(" in module.read_text(encoding="utf-8")


def test_a_cache_that_cannot_be_written_is_done_without(kdsl, tiny: Path, data: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    places = {"KDSL_CACHE_DIR": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "temporary")}
    done = kdsl("train", tiny, "--data", data, *NUMPY, "-q", **places)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "temporary").iterdir()) == []
