"""The long form of a code: what `kdsl explain E114` prints."""

from __future__ import annotations

from textwrap import indent

from kdsl.diagnostics.catalogue import find


def explain(code: str) -> str | None:
    """The explanation of a code or kebab name; None where there is none such."""
    entry = find(code)
    if entry is None:
        return None
    parts = [f"{entry.code} {entry.name}: {entry.title}", entry.explanation.strip()]
    if entry.example:
        parts.append("For example:\n\n" + indent(entry.example.rstrip(), "    "))
    if entry.fix:
        parts.append("Mended:\n\n" + indent(entry.fix.rstrip(), "    "))
    return "\n\n".join(parts) + "\n"
