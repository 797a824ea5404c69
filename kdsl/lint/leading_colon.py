"""W615: `x[:, -1]`, which in other frameworks passes over the batch axis."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.mending import plain, without
from kdsl.lint.subject import nodes_of
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    for part in nodes_of(file.items):
        if not isinstance(part, tree.Index) or len(part.items) < 2:
            continue
        first, second = part.items[:2]
        if not isinstance(first, tree.Slice) or any(side is not None for side in (first.start, first.stop, first.step)):
            continue
        value = plain(part.value.span)
        rest = plain(part.span.source.span(second.span.start, part.items[-1].span.stop))
        yield Diagnostic(
            "W615",
            "an index does not mention the batch: this `:` is the first axis behind it",
            Label(first.span),
            notes=(f"`{plain(part.span)}` takes all of axis 0, then `{rest}` of the axes behind it",),
            help=f"for the batch write nothing: `{value}[{rest}]`",
            edits=without(first.span.start, second.span.start, part.span),
        )
