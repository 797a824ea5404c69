"""What each rule says nothing about: the neighbours of what it reports. What it reports is in `tests/bad`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from elaborate_corpus import ROOT, codes, net

LOSS = "loss = cross_entropy(logits, label)"
LOGITS = "logits = image -> flatten -> dense(10)"
REGRESSION = "model Net {{\n  input x: f32[4]\n  target y: f32\n  {}\n  output h\n}}\ntrain Net {{\n  loss = {}\n}}\n"

SILENT = {
    "softmax as an output only": net(f"{LOGITS}\noutput p = softmax(logits)", LOSS),
    "softmax before a hidden layer": net("logits = image -> flatten -> softmax -> dense(10)\noutput logits", LOSS),
    "softmax before accuracy": net(
        f"{LOGITS}\np = softmax(logits)\noutput p", f"{LOSS}\nmetrics = [accuracy(p, label)]"
    ),
    "softmax before mse": REGRESSION.format("h = x -> dense(1) -> softmax", "mse(h, y)"),
    "a name that starts with a line": net(f"{LOGITS}\n_spare = image -> flatten\noutput logits", LOSS),
    "a value for the loss only": net(f"{LOGITS}\nscores = image -> flatten -> dense(10)\noutput scores", LOSS),
    "a target without training": net(f"{LOGITS}\noutput logits"),
    "a dim used by a dim": "dim a = 10\ndim b = a\n" + net("logits = image -> flatten -> dense(b)\noutput logits"),
    "relu inside a regression": REGRESSION.format("h = x -> dense(8) -> relu -> dense(1)", "mse(h, y)"),
    "softplus at the end of a regression": REGRESSION.format("h = x -> dense(1) -> softplus", "mae(h, y)"),
    "dropout before the last layer": net(
        "logits = image -> flatten -> dense(64) -> relu -> dropout(0.5) -> dense(10)\noutput logits", LOSS
    ),
    "a usual rate": net(f"{LOGITS}\noutput logits", f"{LOSS}\noptimizer = sgd(lr = 1.0)"),
    "a single step in braces": net(
        "logits = image -> flatten -> repeat 2 { dense(64) } -> relu -> dense(10)\noutput logits", LOSS
    ),
    "a repeated activation": net("logits = image -> flatten -> repeat 2 relu -> dense(10)\noutput logits", LOSS),
    "a layer with weights behind a repeated one": net(
        "logits = image -> flatten -> repeat 2 dense(64) -> dense(10)\noutput logits", LOSS
    ).replace("repeat 2 dense(64)", "repeat 2 { dense(64) -> relu }"),
    "a narrow middle": net("logits = image -> flatten -> dense(4) -> dense(10)\noutput logits", LOSS),
    "a named step used again": net(
        "h = image -> flatten -> dense(784) as same -> relu\nlogits = h -> same -> relu -> dense(10)\noutput logits",
        LOSS,
    ),
    "a sequence with as many features as steps": "model M {\n  input x: f32[28, 28]\n  output y = x -> conv(4, kernel = 3)\n}\n",
    "a picture of three lines": "model M {\n  input x: f32[3, 5, 16]\n  output y = x -> conv(4, kernel = 3)\n}\n",
    "a flattened picture": net("logits = image -> flatten -> reshape([28, 28, 1]) -> max_pool(2)\noutput logits"),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_rule_is_silent_about(name: str) -> None:
    assert codes(SILENT[name]) == []


def test_a_file_with_errors_gets_no_warnings() -> None:
    text = net(
        "logits = image -> flatten -> dense(10) -> softmax\nspare = image\nh = image -> wibble\noutput logits", LOSS
    )
    assert codes(text) == ["E201"]


def test_each_warning_is_given_once_for_two_models() -> None:
    model = net(f"{LOGITS}\noutput logits", LOSS)
    text = "dim spare = 3\n" + model + model.replace("Net", "Other")
    assert codes(text) == ["W604"]


def test_sigmoid_before_cross_entropy() -> None:
    assert codes(net("logits = image -> flatten -> dense(10) -> sigmoid\noutput logits", LOSS)) == ["W601"]


def test_a_rate_of_zero() -> None:
    assert codes(net(f"{LOGITS}\noutput logits", f"{LOSS}\noptimizer = adam(lr = 0)")) == ["W608"]


def test_kdsl_lint_prints_warnings_and_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "net.kmodel"
    path.write_text(net(f"{LOGITS}\nspare = image -> flatten\noutput logits", LOSS), encoding="utf-8")
    command = [sys.executable, "-m", "kdsl", "lint", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 1
    assert "warning[W603] unused-value: `spare` is never used" in result.stdout
