"""The page of results, its plot, and the networks as data."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.dom import minidom

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
NAMES = ("peers", "report", "process", "machine", "workloads", "run", "page", "roofline")


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    for other in NAMES:
        monkeypatch.delitem(sys.modules, other, raising=False)
    return importlib.import_module(name)


def timing(step: float = 2e-3) -> dict[str, Any]:
    call = {
        "layer": "h.conv",
        "kernel": "slide",
        "direction": "forward",
        "seconds": 1e-3,
        "flops": 10**8,
        "bytes": 10**6,
    }
    seconds = {"forward": 1e-3, "backward": 0.0, "update": 0.0, "total": 1e-3}
    machine = {
        "flops_per_second_of_one_thread": 2e11,
        "flops_per_second_of_each_thread": 2e11,
        "bytes_per_second_copied": 2e10,
    }
    return {
        "model": "CifarCnn",
        "rows": 32,
        "threads": 1,
        "step_seconds": step,
        "kernel_seconds": 1e-3,
        "flops": 10**8,
        "memory_bytes": 5_000_000,
        "machine": machine,
        "kernels": [{"kernel": "slide", "seconds": seconds, "share_of_peak": 0.5}],
        "calls": [call, {**call, "flops": 0}],
    }


def document() -> dict[str, Any]:
    def peer(one: float, two: float) -> dict[str, Any]:
        training = {"1": {"median": one, "min": one}, "2": {"median": two, "min": two}}
        return {"training": training, "predict": {"usual": 12.0}, "state": {"resident_mb": 100.0, "loss": 1.0}}

    machine = {"processor": "A processor", "cpus": 2, "simd": "avx2", "memory_gb": 8.0, "python": "3.12.0"}
    peers = {"kdsl": peer(4.0, 2.0), "torch": peer(10.0, 9.0), "jax": peer(6.0, 12.0), "keras-jax": {"failed": "no"}}
    workload = {"summary": "a network", "peers": peers, "profile": [timing()]}
    scale = {"cifar_cnn": {"batch": [{"batch": 8, **timing()}, {"batch": 16, **timing(3e-3)}]}}
    started = "2026-01-02T03:04:05"
    return {"started": started, "machine": machine, "workloads": {"cifar_cnn": workload}, "scale": scale}


def test_the_page_says_how_many_times_as_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = module("page", monkeypatch)
    result = tmp_path / "result.json"
    result.write_text(json.dumps(document()))
    assert page.main([str(result), "--docs", str(tmp_path)]) == 0
    text = (tmp_path / "performance.md").read_text()
    assert "| cifar_cnn | 2.00 | 6.00 (jax) | **3.00** | 1.50 (jax) |" in text
    assert "A processor, 2 CPUs, avx2, 8 GB; Python 3.12.0; 2026-01-02." in text
    assert "| cifar_cnn, 1 | 50.0 | 200.0 | 25 % | 50 % | slide: 50 % of the step, 50 % of peak |" in text
    assert "## cifar_cnn as its batch grows" in text and "93.8" in text  # us a sample: 3 ms over 32
    assert "keras-jax" not in text
    before = text
    page.main([str(result), "--docs", str(tmp_path)])
    assert (tmp_path / "performance.md").read_text() == before
    drawn = minidom.parse(str(tmp_path / "roofline.svg"))
    (point,) = drawn.getElementsByTagName("circle")  # what multiplies nothing has no place in it
    assert point.getAttribute("class") == "forward"


def test_the_roof_is_where_memory_and_arithmetic_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    roofline = module("roofline", monkeypatch)
    (point,) = roofline.points_of(timing())
    assert (point["x"], point["y"]) == (100.0, pytest.approx(100.0))
    assert roofline.decades([0.5, 200.0]) == (0.1, 1000.0)


@pytest.mark.parametrize("name", ["mnist_cnn", "cifar_cnn", "resnet20", "mlp512", "small_mlp"])
def test_networks_as_data_are_those_of_kdsl(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdsl.elaborate import elaborate
    from kdsl.source import Source, read
    from kdsl.syntax import parse

    workload = module("workloads", monkeypatch).WORKLOADS[name]
    source = read(str(FOLDER / "models" / f"{name}.kmodel"))
    assert isinstance(source, Source)
    (program,) = elaborate(parse(source).tree, {}).models
    assert (program.name, program.inputs[0].type.shape) == (workload.model_class, workload.shape)
    assert program.training is not None and program.training.batch == workload.batch
    products = [layer for layer in program.layers if layer.layer in ("conv", "dense")]
    sizes = module("workloads", monkeypatch).products_of(workload)
    weights = {weight.name: weight.shape for weight in program.weights}
    found = []
    for layer in products:
        kernel = next(weights[weight] for weight in layer.weights if weight.endswith("kernel"))
        size = 2
        for length in (*kernel, *layer.type.shape[:-1]):
            size *= length
        found.append(size)
    assert sorted(found) == sorted(sizes)
    changed = [what for what in workload.scales if what != "batch"]
    for what in changed:
        values = workload.scales[what]
        for value in (values[0], values[-1]):
            assert not elaborate(parse(source).tree, {what: str(value)}).diagnostics
