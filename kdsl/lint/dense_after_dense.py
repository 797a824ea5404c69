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
    places = Places(subject.file)
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
            edits=() if places.several(before.span, at) else (Edit(at.source.span(at.start, at.start), "relu -> "),),
        )


class Places:
    """What stands in a file for several places: copies of repeated steps, of which the first may follow something else, and
    definitions, which are called from elsewhere. Looked for once, and only if asked."""

    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.spans: tuple[list[Span], list[Span]] | None = None

    def several(self, first: Span, second: Span) -> bool:
        """Whether a step before `second` would stand in other places too, or in another file."""
        if second.source != self.file.span.source:
            return True
        if self.spans is None:
            parts = list(nodes_of(self.file.items))
            copied = [part.span for part in parts if isinstance(part, (tree.Repeat, tree.For))]
            called = [part.span for part in parts if isinstance(part, (tree.Block, tree.Fn))]
            self.spans = copied, called
        copied, called = self.spans
        if any(within(second, span) for span in copied):
            return True
        return any(within(second, span) and not within(first, span) for span in called)


def within(inner: Span, outer: Span) -> bool:
    return inner.source == outer.source and outer.start <= inner.start and inner.stop <= outer.stop
