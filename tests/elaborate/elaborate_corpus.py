"""What the tests of the elaborator and the linter share: texts checked, and programs taken from them."""

from __future__ import annotations

import re
from pathlib import Path

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate import Elaborated, ModelProgram, elaborate
from kdsl.lint import lint
from kdsl.source import Source
from kdsl.syntax import parse

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BAD = sorted(path for path in (ROOT / "tests" / "bad").glob("*.kmodel") if path.name[0] in "23456")
GOOD = sorted([*(HERE / "good").glob("*.kmodel"), *(ROOT / "models").glob("*.kmodel")])
MARK = re.compile(r" *#~ ((?:[EW]\d{3} ?)+)$", re.MULTILINE)
HEAD = "model Net {\n  input  image: f32[28, 28]\n  target label: index(10)\n"


def read(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """(the text without its `#~ E401` marks, what they announce as (line, code) pairs)."""
    text = path.read_text(encoding="utf-8")
    marks = ((number, MARK.search(line)) for number, line in enumerate(text.split("\n"), 1))
    announced = [(number, code) for number, mark in marks if mark is not None for code in mark[1].split()]
    return MARK.sub("", text), sorted(announced)


def check(text: str, name: str = "test.kmodel", **settings: str) -> list[Diagnostic]:
    """Everything there is to say about a text, in the order of the compiler's stages."""
    parsed = parse(Source(name, text))
    elaborated = elaborate(parsed.tree, settings)
    found = [*parsed.diagnostics, *elaborated.diagnostics]
    return found or list(lint(parsed.tree, elaborated))


def codes(text: str, **settings: str) -> list[str]:
    return [diagnostic.code for diagnostic in check(text, **settings)]


def net(body: str, settings: str = "") -> str:
    """A model with an image and a label, and these lines."""
    text = HEAD + "".join(f"  {line.strip()}\n" for line in body.strip().split("\n")) + "}\n"
    if settings:
        text += "train Net {\n" + "".join(f"  {line.strip()}\n" for line in settings.strip().split("\n")) + "}\n"
    return text


def elaborated(text: str, **settings: str) -> Elaborated:
    parsed = parse(Source("test.kmodel", text))
    assert not parsed.diagnostics, parsed.diagnostics
    return elaborate(parsed.tree, settings)


def program(text: str, **settings: str) -> ModelProgram:
    """The first model of a text without mistakes."""
    result = elaborated(text, **settings)
    assert not result.diagnostics, [diagnostic.message for diagnostic in result.diagnostics]
    return result.models[0]
