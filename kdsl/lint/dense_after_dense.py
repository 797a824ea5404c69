"""W610: two dense layers with nothing between them compute what one would."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import Subject
from kdsl.source import Span


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
            edits=(Edit(Span(at.source, at.start, at.start), "relu -> "),),
        )
