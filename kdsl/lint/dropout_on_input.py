"""W612: dropout on an input itself."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for record in subject.program.layers:
        if record.layer == "dropout" and record.inputs and subject.maker(record.inputs[0]).op == "input":
            yield Diagnostic(
                "W612",
                f"`dropout` throws parts of the input `{subject.maker(record.inputs[0]).name}` away",
                Label(record.span),
                help="put it behind a layer that has learned something: `-> dense(64) -> relu -> dropout(0.2)`",
            )
