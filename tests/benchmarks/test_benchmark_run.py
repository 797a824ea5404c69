"""The benchmarks' harness: a whole small run in processes of its own, and the tables' arithmetic."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(FOLDER / "run.py"), *arguments], capture_output=True, text=True)


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of benchmarks/, which is no package, without leaving a trace in this process."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for other in ("peers", "report", "process", "machine", "workloads", "run"):
        monkeypatch.delitem(sys.modules, other, raising=False)
    return importlib.import_module(name)


def test_a_small_run_times_every_peer_and_writes_all_numbers(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    small = ("--workloads", "small_mlp", "--peers", "kdsl", "sklearn", "--threads", "1")
    done = run(*small, "--rounds", "2", "--seconds", "0.01", "--starts", "0", "--json", str(path))
    assert done.returncode == 0, done.stderr
    assert "as fast as the fastest peer, sklearn." in done.stdout
    document = json.loads(path.read_text())
    peers = document["workloads"]["small_mlp"]["peers"]
    assert document["machine"]["cpus"] >= 1 and document["absent"] == {}
    for name in ("kdsl", "sklearn"):
        assert len(peers[name]["rounds"]["1"]) == 2
        assert peers[name]["training"]["1"]["min"] <= peers[name]["training"]["1"]["median"]
        assert all(microseconds > 0 for microseconds in peers[name]["predict"].values())
        assert peers[name]["state"]["loss"] < 1.5  # of ten classes: 2.3 is chance, so both have learnt
    assert set(peers["kdsl"]["versions"]) == {"numba", "numpy"}


def test_peers_that_are_not_installed_are_named(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')  # without site-packages
    bare.chmod(0o755)
    done = run("--peers", "torch", "--python", f"torch={bare}")
    assert done.returncode != 0
    assert "none of the peers is installed: torch: torch, numpy not installed" in done.stderr


def test_an_unknown_interpreter_is_refused() -> None:
    done = run("--python", "tensorflow=/bin/sh")
    assert "--python wants WORD=PATH with a word of kdsl, torch, keras, jax, sklearn" in done.stderr


def test_ratios_are_to_the_fastest_peer_at_its_own_best_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    report = module("report", monkeypatch)

    def timed(one: float, two: float) -> dict[str, object]:
        timings = {"1": {"median": one, "min": one}, "2": {"median": two, "min": two}}
        return {"training": timings, "settings": {"1": "default", "2": "default"}}

    peers = {"kdsl": timed(0.5, 0.25), "slow": timed(2.0, 3.0), "quick": timed(4.0, 1.0)}
    text = report.training_table(peers, [1, 2], flops=2_000_000)
    assert "kdsl trains 4.00 times as fast as the fastest peer, quick." in text
    lines = {line.split()[0]: line for line in text.splitlines()[:-1]}
    assert "0.25" in lines["kdsl"] and "8.0" in lines["kdsl"]  # GFLOP/s of 2 MFLOP in a quarter of a millisecond
    assert "1 thread, default" in lines["slow"] and "2 threads, default" in lines["quick"]


def test_a_summary_is_the_median_of_rounds_and_the_fastest_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    report = module("report", monkeypatch)
    assert report.summarise([[1.0, 9.0, 2.0], [5.0], [3.0, 3.5]]) == {"median": 3.25, "min": 1.0}


def test_flops_are_three_products_less_the_gradient_to_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    workloads = module("workloads", monkeypatch)
    first, second = 2 * 32 * 784 * 28, 2 * 32 * 28 * 10
    assert workloads.WORKLOADS["small_mlp"].flops == 2 * first + 3 * second
