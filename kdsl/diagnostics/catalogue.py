"""Every code the compiler can report, with its explanation, an example and the mended example.

The entries live beside the phase that reports them: `syntax_codes` (E1xx), `model_codes` (E2xx to E5xx) and
`lint_codes` (W6xx). A code or name that is used twice is refused at import.
"""

from __future__ import annotations

from collections.abc import Iterable

from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.lint_codes import LINT
from kdsl.diagnostics.model_codes import MODEL
from kdsl.diagnostics.syntax_codes import SYNTAX

__all__ = ["CATALOGUE", "Entry", "find", "merge"]


def merge(*groups: Iterable[Entry]) -> dict[str, Entry]:
    """The entries by code; raises ValueError where two share a code or a name."""
    merged: dict[str, Entry] = {}
    names: set[str] = set()
    for entry in (entry for group in groups for entry in group):
        if entry.code in merged or entry.name in names:
            raise ValueError(f"the catalogue has two entries for {entry.code} {entry.name}")
        merged[entry.code] = entry
        names.add(entry.name)
    return merged


CATALOGUE: dict[str, Entry] = merge(SYNTAX, MODEL, LINT)


def find(code_or_name: str) -> Entry | None:
    """The entry with this code (`E401`, in any case) or this kebab name."""
    by_code = CATALOGUE.get(code_or_name.upper())
    if by_code is not None:
        return by_code
    return next((entry for entry in CATALOGUE.values() if entry.name == code_or_name.lower()), None)
