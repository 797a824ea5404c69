"""W622: `repeat 1 Step`."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import nodes_of
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    for part in nodes_of(file.items):
        if isinstance(part, tree.Repeat) and isinstance(part.count, tree.Number) and part.count.value == 1:
            head = part.span.source.span(part.span.start, part.body.span.start)
            single = isinstance(part.body, tree.Layer)
            yield Diagnostic(
                "W622",
                "`repeat 1` repeats nothing",
                Label(part.count.span),
                help="leave it out" if single else "leave it and the braces out",
                edits=(Edit(head, ""),) if single else (),
            )
