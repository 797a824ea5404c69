"""W606: a regression whose last step cannot give negative numbers."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject

REGRESSION = ("mse", "mae", "huber")
CLIPPING = ("relu", "relu6")


def check(subject: Subject) -> Iterator[Diagnostic]:
    for call in subject.comparisons():
        node = subject.made_by(call, "subtract") if call.name.text in REGRESSION else None
        maker = None if node is None else subject.maker(node.inputs[0])
        if maker is not None and maker.op in CLIPPING:
            yield Diagnostic(
                "W606",
                f"what `{call.name.text}` compares can never be below 0, for its last step is `{maker.op}`",
                Label(maker.origin[0]),
                (Label(call.arguments[0].value.span, "compared here"),),
                help=f"leave `{maker.op}` out of the last layer; for numbers that are never negative `softplus` still learns at 0",
            )
