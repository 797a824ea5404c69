"""What every worker shares: a process that trains when told to, and answers in lines of JSON.

    {"command": "train", "seconds": 1.0}    -> {"ms_per_step": [one number per epoch]}
    {"command": "predict", "seconds": 0.5}  -> {"microseconds": {way of calling: median for one sample}}
    {"command": "state"}                    -> {"loss": ..., "resident_mb": ..., "peak_mb": ...}

Between commands a worker sleeps, so that only one process of the benchmark works at a time. With `--first-step` it only
trains one batch and says how long that took from the first line of this file.
"""

# ruff: noqa: E402 - the clock starts before anything else is imported

from __future__ import annotations

import time

START = time.perf_counter()

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from workloads import CLASSES, WORKLOADS, Workload, pictures


class Peer:
    """One framework with one workload. A subclass imports the framework when it is made, never before."""

    packages: tuple[str, ...] = ()  # what is installed for it
    wants_bytes = (
        False  # else the pictures come as float32, already divided by 255, in lines where the network wants it
    )
    note = ""

    def __init__(self, workload: Workload, threads: int) -> None:
        raise NotImplementedError

    def candidates(self) -> dict[str, Callable[[], None]]:
        """Settings worth trying, the framework's own default first: each makes the network ready to train anew."""
        raise NotImplementedError

    def load(self, x: Any, y: Any) -> None:
        """Take the data into whatever form the framework trains from; not timed."""
        self.x, self.y = x, y

    def epoch(self) -> None:
        """One pass over the data in shuffled batches, done when this returns."""
        raise NotImplementedError

    def predictors(self) -> dict[str, Callable[[], Any]]:
        """Ways to get the probabilities of one sample as a NumPy array, the usual one first."""
        raise NotImplementedError

    def probabilities(self, x: Any) -> Any:
        """Probabilities of many samples, to see that the network learns."""
        raise NotImplementedError


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--module", type=Path, help="the generated module (kdsl)")
    parser.add_argument("--backend", default="jax", help="Keras's backend")
    parser.add_argument("--first-step", action="store_true")
    return parser.parse_args()


def limit_threads(threads: int) -> None:
    """One thread means one CPU, whatever pools a framework makes; several are left to the framework's own limits."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def data_for(peer: Peer, workload: Workload, rows: int, folder: Path | None) -> tuple[Any, Any]:
    x, y = pictures(workload, rows, folder)
    if peer.wants_bytes:
        return x, y
    return (x.reshape(rows, -1) if workload.flat else x).astype("float32") / 255, y


def choose(peer: Peer) -> str:
    """The fastest of a peer's settings, each measured by the better of two epochs after one to warm up."""
    times = {}
    for name, prepare in peer.candidates().items():
        prepare()
        peer.epoch()
        times[name] = min(seconds(peer.epoch), seconds(peer.epoch))
    best = min(times, key=lambda name: times[name])
    if best != list(times)[-1]:
        peer.candidates()[best]()
        peer.epoch()
    return best


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def train(peer: Peer, workload: Workload, budget: float) -> dict[str, Any]:
    times, end = [], time.perf_counter() + budget
    while not times or time.perf_counter() < end:
        times.append(seconds(peer.epoch) / workload.steps * 1e3)
    return {"ms_per_step": times}


def predict(peer: Peer, budget: float) -> dict[str, Any]:
    medians = {}
    for name, call in peer.predictors().items():
        for _ in range(10):
            call()
        times, end = [], time.perf_counter() + budget
        while len(times) < 20 or time.perf_counter() < end:
            times.append(seconds(call) * 1e6)
        medians[name] = statistics.median(times)
    return {"microseconds": medians}


def state(peer: Peer, x: Any, y: Any) -> dict[str, Any]:
    import numpy as np

    x, y = x[:2000], y[:2000]
    p = np.asarray(peer.probabilities(x), "float64")
    assert p.shape == (len(x), CLASSES), p.shape
    loss = float(-np.log(np.maximum(p[np.arange(len(x)), y], 1e-12)).mean())
    return {"loss": loss, **memory()}


def memory() -> dict[str, float]:
    """Resident memory now and at its peak, in MB; empty where the system has no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return {}
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return {name: int(fields[key].split()[0]) / 1024 for name, key in (("resident_mb", "VmRSS"), ("peak_mb", "VmHWM"))}


def installed(packages: tuple[str, ...]) -> dict[str, Any]:
    """Versions of the packages, and the bytes that they and everything they require take on disk."""
    import re
    from importlib.metadata import PackageNotFoundError, distribution

    sizes: dict[str, int] = {}
    waiting = list(packages)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in sizes:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in found.files or ()]
        sizes[name] = sum(path.stat().st_size for path in paths if path.is_file())
        needed = [line for line in found.requires or () if "extra ==" not in line]
        waiting += [re.match(r"[A-Za-z0-9._-]+", line).group() for line in needed]  # type: ignore[union-attr]
    versions = {name: distribution(name).version for name in packages if re.sub(r"[-_.]+", "-", name).lower() in sizes}
    return {"versions": versions, "installed_mb": sum(sizes.values()) / 1e6}


def serve(make: Callable[[Workload, argparse.Namespace], Peer]) -> None:
    """Run one worker. What frameworks print goes to standard error; only answers go out."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    given = options()
    workload = WORKLOADS[given.workload]
    limit_threads(given.threads)
    peer = make(workload, given)
    imported = time.perf_counter() - START
    if given.first_step:
        peer.load(*data_for(peer, workload, workload.batch, None))
        next(iter(peer.candidates().values()))()
        peer.epoch()
        print(json.dumps({"seconds": time.perf_counter() - START, "import_seconds": imported}), file=out)
        return
    x, y = data_for(peer, workload, workload.rows, given.data)
    peer.load(x, y)
    setting = choose(peer)
    ready = {"setting": setting, "note": peer.note, "python": sys.version.split()[0], **installed(peer.packages)}
    print(json.dumps(ready), file=out)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["command"] == "train":
            answer = train(peer, workload, asked["seconds"])
        elif asked["command"] == "predict":
            answer = predict(peer, asked["seconds"])
        else:
            answer = state(peer, x, y)
        print(json.dumps(answer), file=out)
