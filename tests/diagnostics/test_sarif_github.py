"""SARIF and GitHub's annotations: escaping, places, edits, files with odd names."""

from __future__ import annotations

import json

import pytest

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.github import render_github
from kdsl.diagnostics.sarif import render_sarif, uri
from kdsl.source import Source
from kdsl.syntax import parse

SOURCE = Source("a b/x,y:z.kmodel", "first\nsecond line\n")
FOUND = Diagnostic(
    "E114",
    "100% wrong:\nreally",
    Label(SOURCE.span(6, 12), "here"),
    (Label(SOURCE.span(0, 5), "because"),),
    ("a note",),
    "write it",
    (Edit(SOURCE.span(6, 6), "x"), Edit(SOURCE.span(12, 13), "")),
)


def test_github_escapes_what_would_end_a_line_or_a_field() -> None:
    assert render_github([FOUND]) == (
        "::error title=kdsl (E114 missing-comma),file=a b/x%2Cy%3Az.kmodel,line=2,col=1,endLine=2,endColumn=7"
        "::100%25 wrong:%0Areally%0Ahelp: write it\n"
    )


def test_sarif_has_places_labels_and_edits() -> None:
    (run,) = json.loads(render_sarif([FOUND]))["runs"]
    (result,) = run["results"]
    region = {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 7}
    place = {"artifactLocation": {"uri": "a%20b/x%2Cy%3Az.kmodel"}, "region": region}
    assert result["locations"] == [{"physicalLocation": place}]
    assert result["relatedLocations"][0]["message"] == {"text": "because"}
    assert result["message"]["text"] == "100% wrong:\nreally\na note\nhelp: write it"
    (change,) = result["fixes"][0]["artifactChanges"]
    assert [it["insertedContent"]["text"] for it in change["replacements"]] == ["x", ""]
    assert run["columnKind"] == "unicodeCodePoints"


@pytest.mark.parametrize(
    "entry", [e for e in CATALOGUE.values() if e.code.startswith("E1") and e.example], ids=lambda e: e.code
)
def test_every_syntax_code_can_be_written(entry) -> None:
    found = parse(Source("x.kmodel", entry.example)).diagnostics
    log = json.loads(render_sarif(found))
    assert len(log["runs"][0]["results"]) == len(found) == render_github(found).count("\n")
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        assert set(rule) == {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"}


def test_paths_as_uris() -> None:
    assert uri("/a/b c.kmodel") == "file:///a/b%20c.kmodel"
    assert uri("models/ü.kmodel") == "models/%C3%BC.kmodel"
