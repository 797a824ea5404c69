"""What the linter reports: W6xx."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry

LINT: tuple[Entry, ...] = ()
