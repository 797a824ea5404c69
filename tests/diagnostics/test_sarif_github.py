"""SARIF and GitHub's annotations: escaping, places, edits, files with odd names."""

from __future__ import annotations

import json
import re

import pytest

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.github import render_github
from kdsl.diagnostics.sarif import render_sarif, uri
from kdsl.elaborate import elaborate
from kdsl.lint import RULES, lint
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


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.values() if e.example], ids=lambda e: e.code)
def test_every_code_can_be_written(entry) -> None:
    parsed = parse(Source("models/x.kmodel", entry.example))
    checked = elaborate(parsed.tree)
    found = [*parsed.diagnostics, *checked.diagnostics, *lint(parsed.tree, checked, frozenset(r.code for r in RULES))]
    log = json.loads(render_sarif(found))
    conforms(log)
    assert len(log["runs"][0]["results"]) == len(found) == render_github(found).count("\n")


def conforms(log: dict) -> None:
    """The rules of the schema of SARIF 2.1.0 for the properties that are written: which there are, which must be, and
    of what kind. See sarif-schema-2.1.0.json of OASIS."""
    assert set(log) == {"$schema", "version", "runs"} and log["version"] == "2.1.0"
    for run in log["runs"]:
        assert set(run) == {"tool", "columnKind", "results"} and run["columnKind"] == "unicodeCodePoints"
        driver = run["tool"]["driver"]
        assert set(driver) == {"name", "version", "rules"} and driver["name"] == "kdsl"
        for rule in driver["rules"]:
            assert set(rule) == {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
            assert all(message(rule[key]) for key in ("shortDescription", "fullDescription", "help"))
            assert rule["defaultConfiguration"] in ({"level": "warning"}, {"level": "error"})
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        for result in run["results"]:
            conforming_result(result, ids)


def conforming_result(result: dict, ids: list[str]) -> None:
    must = {"ruleId", "ruleIndex", "level", "message", "locations"}
    assert must <= set(result) <= must | {"relatedLocations", "fixes"}
    assert ids[result["ruleIndex"]] == result["ruleId"] and result["level"] in ("error", "warning")
    assert message(result["message"]) and len(result["locations"]) == 1
    assert set(result["locations"][0]) == {"physicalLocation"}
    conforming_place(result["locations"][0]["physicalLocation"])
    others = result.get("relatedLocations", [])
    assert [it["id"] for it in others] == list(range(len(others)))
    for other in others:
        assert set(other) in ({"id", "physicalLocation"}, {"id", "physicalLocation", "message"})
        assert message(other.get("message", {"text": "none"}))
        conforming_place(other["physicalLocation"])
    for fix in result.get("fixes", []):
        assert set(fix) == {"description", "artifactChanges"} and message(fix["description"])
        assert fix["artifactChanges"]
        for change in fix["artifactChanges"]:
            assert set(change) == {"artifactLocation", "replacements"} and change["replacements"]
            for replaced in change["replacements"]:
                assert set(replaced) == {"deletedRegion", "insertedContent"}
                assert set(replaced["insertedContent"]) == {"text"}
                conforming_place({"artifactLocation": change["artifactLocation"], "region": replaced["deletedRegion"]})


def message(made: dict) -> bool:
    return set(made) == {"text"} and isinstance(made["text"], str) and bool(made["text"])


def conforming_place(place: dict) -> None:
    assert set(place) == {"artifactLocation", "region"} and set(place["artifactLocation"]) == {"uri"}
    assert re.fullmatch(r"(?:[\w.~/-]|%[0-9A-F]{2})+", place["artifactLocation"]["uri"], re.ASCII)
    region = place["region"]
    assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert all(isinstance(number, int) and number >= 1 for number in region.values())
    assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def test_paths_as_uris() -> None:
    assert uri("/a/b c.kmodel") == "file:///a/b%20c.kmodel"
    assert uri("models/ü.kmodel") == "models/%C3%BC.kmodel"
    assert uri("a\\b/%41#?:") == "a%5Cb/%2541%23%3F%3A"
    assert uri("models/\udcff.kmodel") == "models/%FF.kmodel"  # a name that is no UTF-8


def test_columns_count_code_points() -> None:
    source = Source("x.kmodel", "\U0001f600 = $\n")
    (result,) = json.loads(render_sarif([Diagnostic("E109", "m", Label(source.span(4, 5)))]))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startColumn"] == 5
