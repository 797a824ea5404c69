"""What the elaborator reports: E2xx names and imports, E3xx arguments, E4xx shapes, E5xx training."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry

MODEL: tuple[Entry, ...] = ()
