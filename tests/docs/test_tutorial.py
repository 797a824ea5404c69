"""The tutorial is run from top to bottom: its commands print what it shows, but for times and trained numbers.

`kdsl train` runs on the NumPy target here, which has nothing to compile; the module that is built and used is numba's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|python|kmodel|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d[\d,.]*(?:e[+-]\d+)?")
COMPILED = re.compile(r"^compiled its kernels in .*\n", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, beside one with `kdsl` and `python` for the shell."""
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    commands = tmp_path_factory.mktemp("bin")
    for name, call in (("kdsl", f'"{sys.executable}" -m kdsl "$@"'), ("python", f'"{sys.executable}" "$@"')):
        (commands / name).write_text(f"#!/bin/sh\nexec {call}\n")
        (commands / name).chmod(0o755)
    return tmp_path_factory.mktemp("tutorial")


def shell(command: str, folder: Path) -> str:
    commands = next(path for path in folder.parent.iterdir() if path.name.startswith("bin"))
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}
    environment.pop("FORCE_COLOR", None)
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode in (0, 1), done.stdout
    return COMPILED.sub("", done.stdout)


def steps(console: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    return [
        (part.split("\n", 1)[0], part.split("\n", 1)[1])
        for part in re.split(r"^\$ ", console, flags=re.MULTILINE)
        if part
    ]


def matches(shown: str, printed: str) -> bool:
    """Line by line; numbers of training may be others, and `...` stands for any lines."""
    lines = [re.escape(plain(line)) if line != "..." else "(?:.*\n)*?.*" for line in shown.rstrip("\n").split("\n")]
    return re.fullmatch("\n".join(lines), "\n".join(map(plain, printed.rstrip("\n").split("\n")))) is not None


def plain(line: str) -> str:
    return NUMBER.sub("N", line) if line.startswith(("Epoch", "Test on")) else line


def test_the_tutorial_is_true(folder: Path) -> None:
    code = ""
    for kind, text in BLOCK.findall(PAGE):
        if kind == "kmodel" and (name := re.match(r"# (\w+\.kmodel)\n\n", text)):
            (folder / name[1]).write_text(text)
        elif kind == "python":
            code = text
        elif kind == "text" and code:
            (folder / "use.py").write_text(code)
            assert matches(text, shell("python use.py", folder))
        elif kind == "console":
            for command, shown in steps(text):
                printed = shell(re.sub(r"^kdsl train.*", r"\g<0> --target numpy", command), folder)
                assert matches(shown, printed), f"$ {command}\n{printed}\n--- shown:\n{shown}"


def test_the_starter_without_comments_is_what_the_tutorial_shows() -> None:
    from kdsl.cli.new import starter

    shown = next(text for kind, text in BLOCK.findall(PAGE) if kind == "kmodel")
    assert words(shown) == words(starter(Path("digits.kmodel")))


def words(text: str) -> list[str]:
    return re.sub(r"#.*", "", text).split()


def test_what_differs_is_noticed() -> None:
    assert matches("a\n...\nd", "a\nb\nc\nd")
    assert matches("Epoch 1/2 - loss: 0.5", "Epoch 1/2 - loss: 0.25")
    assert not matches("a\n...\nd", "a\nb\nc")
    assert not matches("wrote digits.py", "wrote digit.py")
    assert not matches("Epoch 1/2 - loss: 0.5", "Epoch 1/2 - los: 0.5")
