"""Does kdsl learn as well as Keras? The same network and settings in both, for several seeds; test accuracy of each.

    python benchmarks/accuracy.py --data path/to/fashion-mnist [--keras-python /path/to/python] [--seeds 0 1 2]

784 -> 28 relu -> 10, Adam 1e-3, batch 32, 10 epochs, pictures divided by 255. The folder holds the four idx files of
MNIST or Fashion-MNIST, compressed or not. Every training has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from peers import PEERS, interpreters, missing
from process import WorkerFailed, environment
from run import build_module
from workloads import CLASSES, WORKLOADS, read_idx

UNITS = 28


def datasets(folder: Path) -> tuple[Any, Any, Any, Any]:
    """Training pictures and labels, test pictures and labels, all as bytes."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(read_idx(folder / f"{name}-ubyte") for name in names)  # type: ignore[return-value]


def keras_accuracy(folder: Path, seed: int, epochs: int) -> float:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.update(JAX_PLATFORMS="cpu", TF_CPP_MIN_LOG_LEVEL="3")
    import keras

    x, y, test_x, test_y = datasets(folder)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dense(CLASSES),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=25,
    )
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return float(model.evaluate(test_x, test_y, verbose=0)[1])


def kdsl_accuracy(folder: Path, seed: int, epochs: int, module: Path) -> float:
    sys.path.insert(0, str(module.parent))
    imported = __import__(module.stem)
    x, y, test_x, test_y = datasets(folder)
    model = getattr(imported, WORKLOADS[module.stem].model_class)(seed=seed)
    model.fit(x, y.astype("int32"), batch_size=32, epochs=epochs, verbose=0)
    probabilities = model.predict(test_x)
    return float((probabilities.argmax(axis=1) == test_y).mean())


def in_process(python: str, who: str, options: argparse.Namespace, seed: int, module: Path | None) -> float:
    command = [python, __file__, "--data", str(options.data), "--epochs", str(options.epochs), "--only", who]
    command += ["--seeds", str(seed), *(("--module", str(module)) if module else ())]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    if done.returncode != 0:
        raise WorkerFailed(done.stderr.strip()[-800:])
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the four idx files")
    parser.add_argument("--keras-python", default=None, help="the Python that has Keras; default: as run.py finds it")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--peers", nargs="+", choices=("keras", "kdsl"), default=["keras", "kdsl"])
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--only", choices=("keras", "kdsl"), help=argparse.SUPPRESS)
    parser.add_argument("--module", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        chosen = kdsl_accuracy if options.only == "kdsl" else keras_accuracy
        more = (options.module,) if options.only == "kdsl" else ()
        print(json.dumps(chosen(options.data, options.seeds[0], options.epochs, *more)))
        return 0
    return compare(options)


def compare(options: argparse.Namespace) -> int:
    pythons = interpreters([f"keras={options.keras_python}"] if options.keras_python else [])
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder:
        for who in options.peers:
            lacking = missing(PEERS["keras-jax" if who == "keras" else "kdsl"], pythons[who])
            if lacking:
                print(f"absent: {who} ({', '.join(lacking)} not installed)")
                continue
            try:
                module = (
                    build_module(WORKLOADS["small_mlp"], pythons["kdsl"], Path(folder))[0] if who == "kdsl" else None
                )
                figures[who] = [in_process(pythons[who], who, options, seed, module) for seed in options.seeds]
            except WorkerFailed as failure:
                print(f"absent: {who} ({failure})")
                continue
            each = ", ".join(f"{value:.4f}" for value in figures[who])
            print(f"{who:6s} test accuracy {each}; mean {statistics.mean(figures[who]):.4f}", flush=True)
    if len(figures) == 2:
        difference = statistics.mean(figures["kdsl"]) - statistics.mean(figures["keras"])
        print(f"kdsl minus Keras: {100 * difference:+.2f} points")
    if options.json:
        options.json.write_text(json.dumps({"seeds": options.seeds, "accuracy": figures}, indent=1) + "\n")
    return 0 if figures else 1


if __name__ == "__main__":
    sys.exit(main())
