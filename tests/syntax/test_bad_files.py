"""Every file in `tests/bad` that starts with 1: the codes it announces line by line, its exact text, and its edits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from syntax_corpus import BAD, parse_text

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.text import render_text

WITHOUT_A_FILE = {"E143", "E145", "E150", "E151", "E152"}  # long texts and bytes: see test_limits and test_source
WITHOUT_A_FILE |= {"E122", "E123", "E125", "E127"}  # shown by the catalogue's examples
MARK = re.compile(r"#~(\^?) ((?:E\d{3} ?)+)$")


def announced(text: str) -> list[tuple[int, str]]:
    """(line, code) of `#~ E101 E102` at the end of a line; `#~^` speaks of the line above."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        mark = MARK.search(line)
        if mark is not None:
            found += [(number - len(mark[1]), code) for code in mark[2].split()]
    return sorted(found)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_says_what_it_announces(path: Path, golden: Callable[[Path, str], None]) -> None:
    text = path.read_text(encoding="utf-8")
    diagnostics = parse_text(text, path.name).diagnostics
    assert sorted((d.span.line, d.code) for d in diagnostics) == announced(text)
    golden(path.with_suffix(".txt"), render_text(diagnostics))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_edit_of_a_bad_file_mends_its_mistake(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    diagnostics = parse_text(text).diagnostics
    for diagnostic in diagnostics:
        if diagnostic.edits:
            after = parse_text(apply(text, diagnostic.edits)).diagnostics
            assert len(after) < len(diagnostics), diagnostic.message


def test_every_syntax_code_has_a_bad_file() -> None:
    shown = {code for path in BAD for _, code in announced(path.read_text(encoding="utf-8"))}
    wanted = {code for code in CATALOGUE if code.startswith("E1")}
    assert wanted - shown == WITHOUT_A_FILE


def test_every_golden_text_has_its_file() -> None:
    texts = {path.stem for path in BAD[0].parent.glob("1*.txt")}
    assert texts == {path.stem for path in BAD}
