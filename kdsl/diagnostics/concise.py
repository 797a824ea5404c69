"""One line a diagnostic, for editors and scripts: `digits.kmodel:3:24: E114 a comma is missing before ...`."""

from __future__ import annotations

from collections.abc import Iterable

from kdsl.diagnostics.cells import visible
from kdsl.diagnostics.diagnostic import Diagnostic


def render_concise(diagnostics: Iterable[Diagnostic]) -> str:
    """`file:line:column: code message`, each on a line of its own."""
    return "".join(f"{visible(str(d.span))}: {d.code} {visible(d.message)}\n" for d in diagnostics)
