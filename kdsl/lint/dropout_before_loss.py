"""W607: dropout on what the loss compares."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for call in subject.comparisons():
        nodes = [n for n in subject.program.graph if n.origin and n.origin[0] == call.span and n.inputs]
        maker = subject.maker(nodes[0].inputs[0]) if nodes else None
        if maker is not None and maker.op == "dropout":
            yield Diagnostic(
                "W607",
                f"`dropout` sets some of the predictions to 0 before `{call.name.text}` compares them",
                Label(maker.origin[0]),
                (Label(call.arguments[0].value.span, "compared here"),),
                help="put `dropout` before the last layer: `-> dropout(0.2) -> dense(10)`",
            )
