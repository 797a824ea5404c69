"""Diagnostics for programs: a JSON list in the manner of ruff's. Rows and columns count from 1, in code points."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from typing import Any

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.source import Span


def render_json(diagnostics: Iterable[Diagnostic], safe: Container[str] = ()) -> str:
    """A JSON list of `record`s, and a newline. `safe` are the codes whose edits change no results."""
    return json.dumps([record(diagnostic, safe) for diagnostic in diagnostics], indent=2, ensure_ascii=True) + "\n"


def record(diagnostic: Diagnostic, safe: Container[str]) -> dict[str, Any]:
    """One diagnostic as plain values."""
    entry = CATALOGUE.get(diagnostic.code)
    edits = [{"content": edit.text, "filename": edit.span.source.name, **place(edit.span)} for edit in diagnostic.edits]
    kind = "safe" if diagnostic.code in safe else "unsafe"
    return {
        "code": diagnostic.code,
        "name": entry.name if entry is not None else None,
        "message": diagnostic.message,
        "severity": diagnostic.severity,
        "filename": diagnostic.span.source.name,
        **place(diagnostic.span),
        "label": diagnostic.primary.text or None,
        "labels": [
            {"message": label.text, "filename": label.span.source.name, **place(label.span)}
            for label in diagnostic.secondary
        ],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help or None,
        "fix": {"message": diagnostic.help or None, "applicability": kind, "edits": edits} if edits else None,
    }


def place(span: Span) -> dict[str, dict[str, int]]:
    """Where a span starts, and the place behind its end."""
    return {
        "location": dict(zip(("row", "column"), span.source.position(span.start), strict=True)),
        "end_location": dict(zip(("row", "column"), span.source.position(span.stop), strict=True)),
    }
