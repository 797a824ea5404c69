"""Names of weights by pattern: `*.kernel`, `stem.*`. A `*` stands for any part of a name, dots included."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.context import Context
from kdsl.elaborate.words import listed
from kdsl.source import Span

SHOWN = 5  # names that a help lists


def matching(context: Context, pattern: str, at: Span) -> list[str]:
    """The model's weights that a pattern names, in their order; one that names none is reported."""
    assert context.work is not None
    names = list(context.work.weights)
    wanted = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    found = [name for name in names if wanted.fullmatch(name)]
    if not found and not context.work.exhausted:
        context.report.error("E520", f'no weight is called "{pattern}"', at, help=near(pattern, names))
    return found


def near(pattern: str, names: Sequence[str]) -> str:
    """Names like the pattern, else the first ones there are."""
    if not names:
        return "the model has no weights"
    alike = nearest(pattern, names) or [name for name in names if pattern.strip("*.") in name][:SHOWN]
    if alike and pattern.strip("*."):
        return f"there is {listed(alike, 'and')}"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"there is {', '.join(f'`{name}`' for name in names[:SHOWN])}{more}"
