"""The catalogue's entries for models: each example gives its code and nothing else, each fix gives nothing at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from elaborate_corpus import ROOT, check, codes

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.import_codes import BESIDE, IMPORTS
from kdsl.diagnostics.model_codes import MODEL
from kdsl.ops import LAYERS


@pytest.mark.parametrize("entry", [e for e in MODEL if e not in IMPORTS], ids=lambda entry: entry.code)
def test_the_example_gives_this_code_and_the_fix_nothing(entry: Entry) -> None:
    assert codes(entry.example) == [entry.code]
    assert codes(entry.fix) == []


@pytest.mark.parametrize("entry", IMPORTS, ids=lambda entry: entry.code)
def test_the_examples_of_imports_do_so_beside_their_files(entry: Entry, tmp_path: Path) -> None:
    for name, text in BESIDE.items():
        if text is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_text(text)
    net = str(tmp_path / "net.kmodel")
    assert [found.code for found in check(entry.example, net)] == [entry.code]
    assert check(entry.fix, net) == []


def test_every_code_that_is_reported_has_an_entry() -> None:
    found = set()
    for folder in ("elaborate", "lint", "ops", "training"):
        for path in (ROOT / "kdsl" / folder).rglob("*.py"):
            found |= set(re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8")))
    assert found == {code for code in CATALOGUE if code[1] in "23456"} | {"E120", "E150"}


def test_the_explanation_of_unknown_layers_lists_every_layer() -> None:
    text = CATALOGUE["E201"].explanation
    listed = {name for name, layer in LAYERS.items() if not layer.function}
    assert listed <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize("entry", [e for e in MODEL if e not in IMPORTS], ids=lambda entry: entry.code)
def test_the_edits_of_an_example_mend_it(entry: Entry) -> None:
    """Each alone takes its mistake away; one after the other they come to an end."""
    text, found = entry.example, check(entry.example)
    for each in found:
        if each.edits:
            assert each.message not in [after.message for after in check(apply(text, each.edits))]
    for _ in range(len(found) + 1):
        edits = next((each.edits for each in check(text) if each.edits), ())
        text = apply(text, edits)
    assert not any(each.edits and each.severity == "error" for each in check(text))
