"""How often each code was found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic


def statistics(found: Iterable[Diagnostic], form: str) -> str:
    """The most frequent first: a table, or a JSON list."""
    counts = Counter(diagnostic.code for diagnostic in found)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if form == "json":
        rows = [{"code": code, "name": CATALOGUE[code].name, "count": count} for code, count in ordered]
        return json.dumps(rows, indent=2) + "\n"
    width = len(str(max(counts.values(), default=0)))
    return "".join(f"{count:>{width}}  {code}  {CATALOGUE[code].name}\n" for code, count in ordered)
