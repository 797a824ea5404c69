"""`kdsl time` as a program."""

from __future__ import annotations

import json
from pathlib import Path
from xml.dom import minidom


def test_a_table_and_a_chart(kdsl, tiny: Path) -> None:
    done = kdsl("time", tiny, "--steps", "5", "--threads", "1", "--batch", "20", "--svg", "chart.svg")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Tiny (tiny.kmodel): a training step of 20 rows, 1 thread, f32"
    assert lines[2].split()[:6] == ["layer", "call", "forward", "backward", "update", "total"]
    assert {line.split()[0] for line in lines[4:7]} >= {"logits.dense", "logits.dense_2"}
    assert lines[-1] == "wrote chart.svg"
    minidom.parse(str(tiny.parent / "chart.svg"))


def test_json_of_predict(kdsl, tiny: Path) -> None:
    done = kdsl("time", tiny, "--predict", "--batch", "1", "--steps", "3", "--threads", "1", "--output", "json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["function"], data["rows"], data["threads"]) == ("predict", 1, 1)
    assert {call["direction"] for call in data["calls"]} == {"forward"}
    assert {layer["layer"] for layer in data["layers"]} >= {"logits.dense", "logits.dense_2"}


def test_a_model_that_is_not_trained_has_its_predict_timed(kdsl, tiny: Path) -> None:
    tiny.write_text("model Line { input x: f32[3]\n  h = x -> dense(2)\n  output h }\n")
    done = kdsl("time", tiny, "--steps", "2", "--threads", "1", "--by", "kernel")
    assert done.returncode == 0, done.stderr
    assert "predict of 32 rows" in done.stdout
    assert "Line has no train block, so predict was timed" in done.stderr


def test_what_cannot_be_timed_is_said(kdsl, tiny: Path) -> None:
    few = kdsl("time", tiny, "--data", "sklearn:digits")
    assert few.returncode == 2 and "error" in few.stderr and "Traceback" not in few.stderr
    folder = kdsl("time", tiny, "--svg", "nowhere/chart.svg")
    assert folder.returncode == 2 and "nowhere/chart.svg cannot be written" in folder.stderr
    assert "--steps" in kdsl("time", tiny, "--steps", "0").stderr
