"""Checking a model must be quick: nothing on its way may import NumPy, Numba or Jinja."""

from __future__ import annotations

import subprocess
import sys

from elaborate_corpus import ROOT

CODE = """
import sys
from kdsl.source import Source
from kdsl.syntax import parse
from kdsl.elaborate import elaborate
from kdsl.lint import lint

text = open(sys.argv[1], encoding="utf-8").read()
parsed = parse(Source("model", text))
result = elaborate(parsed.tree)
assert result.models and not lint(parsed.tree, result)
print(sorted({"numpy", "numba", "llvmlite", "jinja2", "scipy", "lark"} & set(sys.modules)))
"""


def test_checking_imports_nothing_heavy() -> None:
    command = [sys.executable, "-c", CODE, str(ROOT / "models" / "fashion_mlp.kmodel")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert set(eval(result.stdout)) <= {"lark"}
