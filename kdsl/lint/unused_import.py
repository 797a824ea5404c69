"""W605: a name that is imported and never used."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.mending import without, without_statement
from kdsl.lint.subject import names_used
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    used = names_used(tuple(item for item in file.items if not isinstance(item, tree.Import)))
    for item in file.items:
        if isinstance(item, tree.Import):
            spare = [i for i, (name, alias) in enumerate(item.names) if (alias or name).text not in used]
            for i in spare:
                name = item.names[i][1] or item.names[i][0]
                edits = without_statement(item.span, item.doc) if len(spare) == len(item.names) else cut(item, i)
                message = f"`{name.text}` is imported and never used"
                yield Diagnostic("W605", message, Label(name.span), help="remove it from the import", edits=edits)


def cut(item: tree.Import, i: int) -> tuple[Edit, ...]:
    """One name less."""
    name, alias = item.names[i]
    if i + 1 < len(item.names):
        return without(name.span.start, item.names[i + 1][0].span.start, item.span)
    before = item.names[i - 1]
    return without((before[1] or before[0]).span.stop, (alias or name).span.stop, item.span)
