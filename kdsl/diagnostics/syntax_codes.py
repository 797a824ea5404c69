"""What the parser reports: E1xx."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry

SYNTAX: tuple[Entry, ...] = ()
