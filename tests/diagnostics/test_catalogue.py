"""The catalogue: complete, without doubles, and true: each example of the parser's codes gives just its code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kdsl.diagnostics import catalogue
from kdsl.diagnostics.catalogue import CATALOGUE, find, merge
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.explain import explain
from kdsl.source import Source
from kdsl.syntax import parse

KDSL = Path(catalogue.__file__).parent.parent
SYNTAX = [entry for entry in CATALOGUE.values() if entry.code.startswith("E1")]
WITHOUT_TEXT = {"E150", "E151", "E152"}  # what is wrong with a file that is no text
ENTRY = SYNTAX[0]


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in parse(Source("example.kmodel", text)).diagnostics]


def test_two_entries_of_one_code_or_name_are_refused() -> None:
    with pytest.raises(ValueError, match=ENTRY.code):
        merge([ENTRY], [replace(ENTRY, name="another-name")])
    with pytest.raises(ValueError, match=ENTRY.name):
        merge([ENTRY], [replace(ENTRY, code="E999")])
    assert list(merge([ENTRY], [replace(ENTRY, code="E999", name="other")])) == [ENTRY.code, "E999"]


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.code)
def test_an_entry_is_complete(entry: Entry) -> None:
    assert re.fullmatch(r"[EW]\d{3}", entry.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name)
    assert entry.title and not entry.title.endswith(".") and "\n" not in entry.title
    assert len(entry.explanation) > 20 and entry.explanation.rstrip()[-1] in ".:`"
    assert all(len(line) <= 120 for line in entry.explanation.split("\n"))
    assert bool(entry.example) == bool(entry.fix) == (entry.code not in WITHOUT_TEXT)


@pytest.mark.parametrize("entry", [e for e in SYNTAX if e.example], ids=lambda entry: entry.code)
def test_an_example_gives_its_code_and_the_fix_none(entry: Entry) -> None:
    found = codes(entry.example)
    if entry.code == "E143":  # of which there can be no single one
        assert len(found) == 100 and found.count("E143") == 1
    else:
        assert set(found) == {entry.code}
    assert codes(entry.fix) == []


@pytest.mark.parametrize("entry", [e for e in SYNTAX if e.example], ids=lambda entry: entry.code)
def test_the_edits_of_an_example_mend_it(entry: Entry) -> None:
    text = entry.example
    for _ in range(3):
        edits = next((d.edits for d in parse(Source("x", text)).diagnostics if d.edits), ())
        text = apply(text, edits)
    if text != entry.example:
        assert codes(text) == []


def test_every_code_the_parser_reports_is_in_the_catalogue() -> None:
    files = [*(KDSL / "syntax").glob("*.py"), KDSL / "source.py"]
    written = {code for file in files for code in re.findall(r"\"(E\d{3})\"", file.read_text(encoding="utf-8"))}
    assert written == {entry.code for entry in SYNTAX}


def test_codes_and_names_are_found() -> None:
    assert find("E103") is find("e103") is find("unclosed-bracket") is CATALOGUE["E103"]
    assert find("E000") is None and find("nothing") is None


def test_explain() -> None:
    entry = CATALOGUE["E105"]
    text = explain("unfinished-line")
    assert text is not None and text == explain("E105")
    assert text.startswith(f"E105 unfinished-line: {entry.title}\n\n")
    assert "    h = x ->\n" in text and "    -> dense(10)\n" in text
    assert text.index("For example:") < text.index("Mended:")
    assert "example" not in (explain("E150") or "example")
    assert explain("E000") is None
