"""W610: two dense layers with nothing between them compute what one would."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import Subject, nodes_of
from kdsl.source import Span
from kdsl.syntax import tree


def check(subject: Subject) -> Iterator[Diagnostic]:
    """A narrow middle is left alone: it makes a large layer of few weights."""
    layers = {record.value: record for record in subject.program.layers}
    seen: set[Span] = set()
    for record in subject.program.layers:
        before = layers.get(record.inputs[0]) if record.layer == "dense" and record.inputs else None
        if before is None or before.layer != "dense" or before.span == record.span or record.span in seen:
            continue
        came = subject.program.graph[before.inputs[0]].type.shape[-1:]
        middle, out = before.type.shape[-1], record.type.shape[-1]
        if came and middle < min(came[0], out):
            continue
        seen.add(record.span)
        at = record.span
        yield Diagnostic(
            "W610",
            "two `dense` layers in a row compute no more than one",
            Label(at, "follows at once"),
            (Label(before.span, "the first"),),
            help="put an activation between them: `-> relu`",
            edits=()
            if written_for_several(subject.file, before.span, at)
            else (Edit(at.source.span(at.start, at.start), "relu -> "),),
        )


def written_for_several(file: tree.File, first: Span, second: Span) -> bool:
    """Whether a step before `second` would stand in other places too: in every copy of a repeated step, of which the first may
    follow something else; at every call of a block, or in another file."""
    if second.source != file.span.source:
        return True
    for part in nodes_of(file.items):
        if isinstance(part, (tree.Repeat, tree.For)) and within(second, part.span):
            return True
        if isinstance(part, (tree.Block, tree.Fn)) and within(second, part.span) and not within(first, part.span):
            return True
    return False


def within(inner: Span, outer: Span) -> bool:
    return inner.source == outer.source and outer.start <= inner.start and inner.stop <= outer.stop
