"""Annotations for GitHub Actions: `::error file=...,line=...::message`, one line a diagnostic."""

from __future__ import annotations

from collections.abc import Iterable

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands, as GitHub's runner reads them from a step's output."""
    return "".join(map(command, diagnostics))


def command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    (line, column), (end_line, end_column) = span.source.position(span.start), span.source.position(span.stop)
    entry = CATALOGUE.get(diagnostic.code)
    name = f" {entry.name}" if entry is not None else ""
    fields = {
        "title": f"kdsl ({diagnostic.code}{name})",
        "file": span.source.name,
        "line": str(line),
        "col": str(column),
        "endLine": str(end_line),
        "endColumn": str(end_column),
    }
    written = ",".join(f"{key}={escaped(value, field=True)}" for key, value in fields.items())
    help = f"\nhelp: {diagnostic.help}" if diagnostic.help else ""
    return f"::{diagnostic.severity} {written}::{escaped(f'{diagnostic.message}{help}')}\n"


def escaped(text: str, field: bool = False) -> str:
    """Percent signs and line ends; in a field also what would end it."""
    for character in "%\r\n" + (":," if field else ""):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
