"""One training of one model in a process of its own, for accuracy.py: the last line of the output is what came of it, as JSON.

    python benchmarks/training.py keras cifar_cnn --data path/to/cifar10 --seed 0 --epochs 15 --backend torch
    python benchmarks/training.py kdsl cifar_cnn --data path/to/cifar10 --seed 0 --epochs 15 --module cifar_cnn.py

How each epoch went is on standard error.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from twins import TWINS
from workloads import content_of, read_idx

IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def has_data(model: str, folder: Path) -> bool:
    """Whether the folder has the files that this model learns from."""
    return any(folder.glob("train-images-idx3-ubyte*" if model == "fashion_mlp" else "data_batch_*.bin*"))


def datasets(model: str, folder: Path, rows: int | None) -> tuple[Any, Any, Any, Any]:
    """Training pictures and labels, at most `rows`, and all test pictures and labels, as bytes."""
    if model == "fashion_mlp":
        x, y, test_x, test_y = (read_idx(folder / f"{name}-ubyte") for name in IDX)
    else:
        x, y = cifar(folder, "data_batch_[0-9]")
        test_x, test_y = cifar(folder, "test_batch" if any(folder.glob("test_batch.bin*")) else "test_batch*")
    return x[:rows], y[:rows], test_x, test_y


def cifar(folder: Path, files: str) -> tuple[Any, Any]:
    """Binary files of CIFAR-10, one behind the other: a byte of label, then the red, green and blue plane."""
    import numpy as np

    names = sorted({path.name.removesuffix(".gz") for path in folder.glob(f"{files}.bin*")})
    content = b"".join(content_of(folder / name) for name in names)
    table = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    return np.ascontiguousarray(table[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), table[:, 0].copy()


def keras_training(given: argparse.Namespace) -> dict[str, Any]:
    os.environ.update(KERAS_BACKEND=given.backend, JAX_PLATFORMS="cpu", TF_CPP_MIN_LOG_LEVEL="3")
    import keras

    keras.utils.set_random_seed(given.seed)
    x, y, test_x, test_y = datasets(given.model, given.data, given.rows)
    model = TWINS[given.model].compiled(keras)
    if given.falls:
        steps, rate = -(-len(x) // TWINS[given.model].batch), float(model.optimizer.learning_rate)
        ends = [epoch * steps - 1 for epoch in given.falls]  # the last step that has the rate before
        rates = [rate * 0.1**n for n in range(len(ends) + 1)]
        model.optimizer.learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(ends, rates)
    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: report(given, epoch, logs))
    start = time.perf_counter()
    history = model.fit(
        x,
        y.astype("int32"),
        batch_size=TWINS[given.model].batch,
        epochs=given.epochs,
        validation_data=(test_x, test_y.astype("int32")),
        verbose=0,
        callbacks=[tell],
    ).history
    seconds = time.perf_counter() - start
    return outcome(history, seconds, f"Keras {keras.__version__} on {given.backend}")


def kdsl_training(given: argparse.Namespace) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(given.module.stem, given.module)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[given.module.stem] = module  # numba looks it up
    spec.loader.exec_module(module)
    (kind,) = module.Model.__subclasses__()
    x, y, test_x, test_y = datasets(given.model, given.data, given.rows)
    model = kind(seed=given.seed, threads=given.threads)
    start = time.perf_counter()
    history: dict[str, list[float]] = {}
    spans = [0, *given.falls, given.epochs]
    for number, (first, last) in enumerate(itertools.pairwise(spans)):
        part = model.fit(
            x,
            y.astype("int32"),
            batch_size=TWINS[given.model].batch,
            initial_epoch=first,
            epochs=last,
            validation_data=(test_x, test_y.astype("int32")),
            verbose=0,
            callbacks=[lambda epoch, logs, model: report(given, epoch, logs)],
            lr=model.declaration.training.numbers["lr"] * 0.1**number,
        ).history
        for name, values in part.items():
            history[name] = [*history.get(name, []), *values]
    seconds = time.perf_counter() - start
    return outcome(history, seconds, "kdsl")


def report(given: argparse.Namespace, epoch: int, logs: dict[str, float]) -> None:
    said = f"loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}, in the test {logs['val_accuracy']:.4f}"
    print(f"{given.who} {given.model} seed {given.seed}, epoch {epoch + 1}: {said}", file=sys.stderr, flush=True)


def outcome(history: dict[str, list[float]], seconds: float, software: str) -> dict[str, Any]:
    kept = {name: [float(f"{value:.6g}") for value in values] for name, values in history.items()}
    return {"accuracy": kept["val_accuracy"][-1], "seconds": round(seconds, 1), "software": software, "history": kept}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("who", choices=("keras", "kdsl"))
    parser.add_argument("model", choices=TWINS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, help="train with the first of them alone")
    parser.add_argument("--falls", type=int, nargs="*", default=[], help="epochs behind which the rate is a tenth")
    parser.add_argument("--threads", type=int, default=1, help="of kdsl")
    parser.add_argument("--backend", default="jax", help="of Keras")
    parser.add_argument("--module", type=Path, help="what `kdsl build` made")
    given = parser.parse_args()
    done = kdsl_training(given) if given.who == "kdsl" else keras_training(given)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
