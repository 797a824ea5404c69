"""What the README shows is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from kdsl.compiler import compile_file
from kdsl.diagnostics.text import render_text
from kdsl.docs.examples import findings
from kdsl.source import Source

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
MODEL = next(block for block in BLOCKS if "\nmodel " in block)


def test_the_example_compiles_without_a_remark() -> None:
    compiled = compile_file(Source("fashion.kmodel", MODEL), target="numpy")
    assert compiled.diagnostics == ()
    assert compiled.text is not None and "class Fashion(" in compiled.text


def test_layers_of_ones_own_compile_without_a_remark() -> None:
    text = next(block for block in BLOCKS if "\nblock " in block)
    assert findings(text)[1] == []


def test_the_error_is_the_one_that_is_shown() -> None:
    compiled = compile_file(Source("fashion.kmodel", MODEL.replace("-> flatten ", "")), target="numpy")
    shown = next(block for block in BLOCKS if block.startswith("error["))
    assert render_text(compiled.diagnostics).strip() == shown.strip()
