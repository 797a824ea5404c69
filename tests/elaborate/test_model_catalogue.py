"""The catalogue's entries for models: each example gives its code and nothing else, each fix gives nothing at all."""

from __future__ import annotations

import re

import pytest
from elaborate_corpus import ROOT, codes

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.lint_codes import LINT
from kdsl.diagnostics.model_codes import MODEL
from kdsl.ops import LAYERS

# Two sides of different shapes can only meet once the language has operators on tensors.
UNREACHABLE = {"E402"}


@pytest.mark.parametrize("entry", [*MODEL, *LINT], ids=lambda entry: entry.code)
def test_the_example_gives_this_code_and_the_fix_nothing(entry: Entry) -> None:
    assert codes(entry.example) == [entry.code]
    assert codes(entry.fix) == []


def test_every_code_that_is_reported_has_an_entry() -> None:
    found = set()
    for folder in ("elaborate", "lint", "ops", "training"):
        for path in (ROOT / "kdsl" / folder).rglob("*.py"):
            found |= set(re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8")))
    assert found - UNREACHABLE == {code for code in CATALOGUE if code[1] in "23456"} | {"E120"}


def test_the_explanation_of_unknown_layers_lists_every_layer() -> None:
    text = CATALOGUE["E201"].explanation
    assert set(LAYERS) <= set(re.findall(r"\w+", text))
