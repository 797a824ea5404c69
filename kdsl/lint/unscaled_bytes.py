"""W625: bytes of 0 to 255 that go straight into a layer with weights."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import Subject
from kdsl.source import Span

LINEAR = frozenset({"dense", "conv", "depthwise_conv", "separable_conv", "conv_transpose"})


def check(subject: Subject) -> Iterator[Diagnostic]:
    for record in subject.program.layers:
        maker = subject.maker(record.inputs[0]) if record.layer in LINEAR and record.inputs else None
        if maker is None or maker.op != "input" or maker.type.dtype != "u8":
            continue
        at = record.span
        yield Diagnostic(
            "W625",
            f"`{record.layer}` gets the bytes of `{maker.name}` as they are, 0 to 255",
            Label(at),
            help="bring them near 1 first: `-> rescale(1 / 255)`",
            edits=(Edit(Span(at.source, at.start, at.start), "rescale(1 / 255) -> "),),
        )
