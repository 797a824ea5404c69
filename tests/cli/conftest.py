"""Runs the real program, as a shell would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(sys.executable).with_name("kdsl")
COMMAND = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, "-m", "kdsl"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """No colour wishes from outside, and a cache that the tests share."""
    env = {name: text for name, text in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")}
    cache = env.get("KDSL_CACHE_DIR") or str(tmp_path_factory.getbasetemp().parent / "kdsl-cache")
    path = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    return {**env, "KDSL_CACHE_DIR": cache, "PYTHONPATH": path, "PYTHONUTF8": "1", "COLUMNS": "100"}


@pytest.fixture
def kdsl(tmp_path: Path, environment: dict[str, str]) -> Run:
    """`kdsl("lint", "a.kmodel")` in the test's own folder -> the finished process."""

    def run(
        *arguments: object, input: str | None = None, cwd: Path = tmp_path, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=cwd,
            env={**environment, **extra},
            input=input,
            capture_output=True,
            encoding="utf-8",
            timeout=240,
            stdin=subprocess.DEVNULL if input is None else None,
        )

    return run


GOOD = """\
model Tiny(hidden: int = 4) {
  input  x: f32[4]
  target y: index(3)
  logits = x -> dense(hidden) -> relu -> dense(3)
  output probabilities = softmax(logits)
}

train Tiny {
  loss      = cross_entropy(logits, y)
  metrics   = [accuracy(logits, y)]
  optimizer = adam(lr = 1e-2)
  batch     = 8
  epochs    = 3
  seed      = 1
}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small model file without mistakes."""
    path = tmp_path / "tiny.kmodel"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The same with a missing comma: E114."""
    path = tmp_path / "broken.kmodel"
    path.write_text(GOOD.replace("dense(3)", "dense(3 bias = true)"), encoding="utf-8")
    return path
