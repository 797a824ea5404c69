"""Does kdsl learn as well as Keras? The same network, settings and data in both, for several seeds; test accuracy of each.

    python benchmarks/accuracy.py --data path/to/fashion-mnist path/to/cifar10
    python benchmarks/accuracy.py --data path/to/cifar10 --models cifar_cnn --epochs 5 --seeds 0 --keras-python /path/to/python
    python benchmarks/accuracy.py --data path/to/cifar10 --json accuracy.json       # stopped? the same command goes on

The models are those of ../models, built by `kdsl build`; twins.py beside this file has them for Keras. A folder of --data holds
the four idx files of Fashion-MNIST or CIFAR-10's binary files, compressed or not; all training files there are used. Every
training has a process of its own, and tells on standard error how it gets on.
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

from peers import PEERS, Peer, interpreters, missing
from process import WorkerFailed, environment
from training import has_data
from twins import TWINS

HERE = Path(__file__).resolve().parent
EPOCHS = {"fashion_mlp": 10, "cifar_cnn": 15, "resnet20": 15}
WHO = ("keras", "kdsl")
BACKENDS = ("jax", "tensorflow", "torch")

Training = dict[str, Any]  # model, who, seed, epochs, rows, falls; accuracy, seconds, software, history


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FOLDER", help="where the pictures are")
    parser.add_argument("--models", nargs="+", choices=TWINS, metavar="NAME", help="default: those that have data")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="N", help="default: 0 1")
    parser.add_argument("--epochs", type=int, help="default: 10 of fashion_mlp, 15 of the others")
    parser.add_argument("--rows", type=int, help="train with the first of the pictures alone, for a quick look")
    parser.add_argument(
        "--falls", nargs="+", type=int, default=[], help="epochs behind which the rate is a tenth, in both"
    )
    parser.add_argument("--who", nargs="+", choices=WHO, default=list(WHO), help="default: both")
    parser.add_argument("--threads", type=int, default=1, help="of each training; default 1")
    parser.add_argument("--keras-python", help="the Python that has Keras; default: as run.py finds it")
    parser.add_argument("--backend", choices=BACKENDS, default=os.environ.get("KERAS_BACKEND", "jax"), help="of Keras")
    parser.add_argument("--json", type=Path, help="write the figures here; what is there already is not trained again")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    folders = {model: found for model in TWINS if (found := folder_of(model, options.data))}
    models = options.models or list(folders)
    for model in models:
        if model not in folders:
            raise SystemExit(f"no folder of --data has the pictures of {model}")
    if not models:
        raise SystemExit("no folder of --data has idx files or CIFAR-10's binary files")
    pythons = interpreters([f"keras={options.keras_python}"] if options.keras_python else [])
    known: list[Training] = json.loads(options.json.read_text())["trainings"] if exists(options.json) else []
    with tempfile.TemporaryDirectory(prefix="kdsl-bench-") as built:
        for wanted in plan(models, options):
            if find(known, wanted) or not importable(wanted["who"], pythons, options):
                continue
            try:
                known.append(wanted | train(wanted, folders[wanted["model"]], pythons, options, Path(built)))
            except WorkerFailed as failure:
                print(f"{wanted['who']} {wanted['model']} seed {wanted['seed']}: {failure}", flush=True)
                continue
            if options.json:
                options.json.write_text(json.dumps({"trainings": known}, indent=1) + "\n")
    done = [found for wanted in plan(models, options) if (found := find(known, wanted))]
    for model in models:
        print(table(model, [training for training in done if training["model"] == model]))
    return 0 if len(done) == len(plan(models, options)) else 1


def exists(path: Path | None) -> bool:
    return path is not None and path.exists()


def folder_of(model: str, folders: list[Path]) -> Path | None:
    """The first folder that has this model's data."""
    return next((folder.resolve() for folder in folders if has_data(model, folder)), None)


def plan(models: list[str], options: argparse.Namespace) -> list[Training]:
    """What is to be trained, in this order."""
    return [
        {
            "model": model,
            "who": who,
            "seed": seed,
            "epochs": EPOCHS[model] if options.epochs is None else options.epochs,
            "rows": options.rows,
            "falls": options.falls,
        }
        for seed in options.seeds
        for model in models
        for who in options.who
    ]


def find(known: list[Training], wanted: Training) -> Training | None:
    return next((training for training in known if wanted.items() <= training.items()), None)


def importable(who: str, pythons: dict[str, str], options: argparse.Namespace) -> bool:
    """Whether it can be trained there; if not, says why."""
    keras = Peer("keras", "training.py", ("keras", options.backend), "keras")
    lacking = missing(keras if who == "keras" else PEERS["kdsl"], pythons[who])
    if lacking:
        print(f"absent: {who} ({', '.join(lacking)} not installed)", flush=True)
    return not lacking


def train(
    wanted: Training, folder: Path, pythons: dict[str, str], options: argparse.Namespace, built: Path
) -> Training:
    """One training in a process of its own -> what came of it."""
    who, model = wanted["who"], wanted["model"]
    command = [
        pythons[who],
        str(HERE / "training.py"),
        who,
        model,
        "--data",
        str(folder),
        "--threads",
        str(options.threads),
    ]
    command += ["--seed", str(wanted["seed"]), "--epochs", str(wanted["epochs"]), "--backend", options.backend]
    if options.rows:
        command += ["--rows", str(options.rows)]
    if options.falls:
        command += ["--falls", *map(str, options.falls)]
    if who == "kdsl":
        command += ["--module", str(module_of(model, pythons["kdsl"], built))]
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment(**threads))
    if done.returncode != 0:
        raise WorkerFailed(f"the training ended with status {done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def module_of(model: str, python: str, built: Path) -> Path:
    """What `kdsl build` makes of the model; built once."""
    out = built / f"{model}.py"
    if not out.exists():
        command = [python, "-m", "kdsl", "build", str(HERE.parent / "models" / f"{model}.kmodel"), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent)
        if done.returncode != 0:
            raise WorkerFailed(f"kdsl build failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return out


def table(model: str, done: list[Training]) -> str:
    """Test accuracies of one model: a line for each framework, and the difference of their means."""
    lines, means = [f"\n{model}, {done[0]['epochs']} epochs"] if done else [f"\n{model}: nothing trained"], {}
    for who in WHO:
        mine = [training for training in done if training["who"] == who]
        if mine:
            means[who] = statistics.mean(training["accuracy"] for training in mine)
            each = ", ".join(f"{training['accuracy']:.4f} (seed {training['seed']})" for training in mine)
            lines.append(f"  {who:6s} test accuracy {each}; mean {means[who]:.4f}")
    if len(means) == len(WHO):
        lines.append(f"  kdsl minus Keras: {100 * (means['kdsl'] - means['keras']):+.2f} points")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
