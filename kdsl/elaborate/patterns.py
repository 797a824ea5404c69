"""Names of weights by pattern: `*.kernel`, `stem.*`. A `*` stands for any part of a name, dots included."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Edit
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import Unknown
from kdsl.elaborate.words import listed
from kdsl.source import Span

SHOWN = 5  # names that a help lists


def incomplete(context: Context) -> bool:
    """Whether something of the model is unknown for a reason already reported: a weight may be missing with it."""
    bounds = (bound for scope in context.scope.outwards() for bound in scope.names.values())
    return context.scope.is_porous() or any(isinstance(bound.meaning, Unknown) for bound in bounds)


def matching(context: Context, pattern: str, at: Span) -> list[str]:
    """The model's weights that a pattern names, in their order; one that names none is reported."""
    assert context.work is not None
    names = list(context.work.weights)
    found = named(pattern, names)
    if not found and not context.work.exhausted and not incomplete(context):
        meant = mended(pattern, names)
        help = f'did you mean "{meant}"?' if meant else alike(pattern, names)
        written = at.text == f'"{pattern}"'
        edits = [Edit(at, f'"{meant}"')] if meant and written else []
        context.report.error("E520", f'no weight is called "{pattern}"', at, help=help, edits=edits)
    return found


def named(pattern: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if fits(name, pattern.split("*"))]


def fits(name: str, pieces: Sequence[str]) -> bool:
    """Whether the pieces stand in the name in this order, the first at its beginning and the last at its end."""
    first, *middle = pieces
    if not middle:
        return name == first
    last = middle.pop()
    at, stop = len(first), len(name) - len(last)
    if not (name.startswith(first) and name.endswith(last) and at <= stop):
        return False
    for piece in middle:  # the leftmost place leaves most room for the others
        at = name.find(piece, at, stop)
        if at < 0:
            return False
        at += len(piece)
    return True


def mended(pattern: str, names: Sequence[str]) -> str:
    """The pattern with misspelt parts replaced by the nearest ones there are, if it then names something."""
    known = list(dict.fromkeys(part for name in names for part in name.split(".")))
    parts = []
    for part in pattern.split("."):
        near = nearest(part, known, 1) if part not in known and "*" not in part else []
        parts.append(near[0] if near else part)
    meant = ".".join(parts)
    return meant if meant != pattern and named(meant, names) else ""


def alike(pattern: str, names: Sequence[str]) -> str:
    """Names that contain what the pattern says, else the first ones there are."""
    if not names:
        return "the model has no weights"
    inside = pattern.strip("*.")
    found = [name for name in names if inside in name] if inside else []
    if found:
        return f"there is {listed(found[:SHOWN], 'and')}"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"there is {', '.join(f'`{name}`' for name in names[:SHOWN])}{more}"
