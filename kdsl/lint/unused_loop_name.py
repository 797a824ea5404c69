"""W624: `for w in [32, 64] { ... }` where nothing reads `w`."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import names_used, nodes_of
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    for part in nodes_of(file.items):
        if not isinstance(part, tree.For) or any(name.text.startswith("_") for name in part.names):
            continue
        used = names_used(part.body)
        if any(name.text in used for name in part.names):
            continue
        word = "each" if part.each else "for"
        count = len(part.values.items) if isinstance(part.values, tree.ListOf) else None
        edits: tuple[Edit, ...] = ()
        help = "use it in the steps"
        if not part.each and count is not None:
            help = f"every copy is the same: write `repeat {count}`"
            edits = (Edit(part.span.source.span(part.span.start, part.values.span.stop), f"repeat {count}"),)
        message = f"the steps of this `{word}` do not use `{part.names[0].text}`"
        yield Diagnostic("W624", message, Label(part.names[0].span), help=help, edits=edits)
