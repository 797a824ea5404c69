"""SARIF 2.1.0 (OASIS): what code-scanning services read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import fsencode
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from kdsl import __version__
from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.explain import explain
from kdsl.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """One run with the rules that were broken, and a result for each diagnostic."""
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    driver = {"name": "kdsl", "version": __version__, "rules": [rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def rule(code: str) -> dict[str, Any]:
    entry = CATALOGUE.get(code)
    if entry is None:
        return {"id": code}
    return {
        "id": code,
        "name": entry.name,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.explanation},
        "help": {"text": explain(code) or entry.title},
        "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"},
    }


def result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    text = "\n".join(
        filter(None, [diagnostic.message, *diagnostic.notes, diagnostic.help and f"help: {diagnostic.help}"])
    )
    made: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": location(diagnostic.span)}],
    }
    if diagnostic.secondary:
        made["relatedLocations"] = [related(number, label) for number, label in enumerate(diagnostic.secondary)]
    if diagnostic.edits:
        made["fixes"] = [
            {"description": {"text": diagnostic.help or "mend it"}, "artifactChanges": changes(diagnostic.edits)}
        ]
    return made


def related(number: int, label: Label) -> dict[str, Any]:
    message = {"message": {"text": label.text}} if label.text else {}
    return {"id": number, "physicalLocation": location(label.span), **message}


def changes(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """The edits, file by file."""
    sources = list(dict.fromkeys(edit.span.source for edit in edits))
    return [
        {
            "artifactLocation": {"uri": uri(source.name)},
            "replacements": [
                {"deletedRegion": region(edit.span), "insertedContent": {"text": edit.text}}
                for edit in edits
                if edit.span.source is source
            ],
        }
        for source in sources
    ]


def location(span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri(span.source.name)}, "region": region(span)}


def region(span: Span) -> dict[str, int]:
    (line, column), (end_line, end_column) = span.source.position(span.start), span.source.position(span.stop)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def uri(name: str) -> str:
    """A path as an URI: relative ones stay so, for the service knows where the repository lies."""
    path = PurePath(name)
    return path.as_uri() if path.is_absolute() else quote(fsencode(path.as_posix()))
