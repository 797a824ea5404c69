"""Every file in `tests/bad` from 2 to 6: the codes it announces line by line, its exact text, and its edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from elaborate_corpus import BAD, check, read

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.text import render_text


def own_edits(diagnostic: Diagnostic) -> bool:
    """Whether it can be mended in this file; what is wrong in an imported one is mended there."""
    return bool(diagnostic.edits) and all(edit.span.source.name == "test.kmodel" for edit in diagnostic.edits)


@pytest.fixture(autouse=True)
def beside_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports are relative to the file they stand in."""
    monkeypatch.chdir(BAD[0].parent)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_model_says_what_it_announces(path: Path, golden: Callable[[Path, str], None]) -> None:
    text, announced = read(path)
    diagnostics = check(text, path.name)
    assert sorted((d.span.line, d.code) for d in diagnostics if d.span.source.name == path.name) == announced
    golden(path.with_suffix(".txt"), render_text(diagnostics))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_edit_mends_its_mistake(path: Path) -> None:
    text, _ = read(path)
    diagnostics = check(text)
    for diagnostic in diagnostics:
        if own_edits(diagnostic):
            after = check(apply(text, diagnostic.edits))
            assert len(after) < len(diagnostics), diagnostic.message
            same = [d for d in diagnostics if d.message == diagnostic.message]
            assert len([d for d in after if d.message == diagnostic.message]) < len(same)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_all_edits_one_after_the_other_leave_only_what_has_none(path: Path) -> None:
    text, _ = read(path)
    for _ in range(20):
        edits = next((d.edits for d in check(text) if own_edits(d)), None)
        if edits is None:
            break
        text = apply(text, edits)
    assert not any(own_edits(d) for d in check(text)), "an edit leads in a circle"


def test_every_code_has_a_bad_model() -> None:
    shown = {code for path in BAD for _, code in read(path)[1]}
    wanted = {code for code in CATALOGUE if code[1] in "2345"}
    assert wanted == {code for code in shown if code.startswith("E")}


def test_every_golden_text_has_its_file() -> None:
    texts = {path.stem for path in BAD[0].parent.glob("*.txt") if path.name[0] in "23456"}
    assert texts == {path.stem for path in BAD}
