"""W602: a probability given to a loss or metric of yes-or-no logits."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject

SQUASHING = ("sigmoid", "hard_sigmoid", "softmax")


def check(subject: Subject) -> Iterator[Diagnostic]:
    for call in subject.comparisons():
        node = subject.made_by(call, "binary_cross_entropy") or subject.made_by(call, "binary_accuracy")
        maker = None if node is None else subject.maker(node.inputs[0])
        if node is None or maker is None or maker.op not in SQUASHING:
            continue
        value = call.arguments[0].value
        why = "compares it with 0" if node.op == "binary_accuracy" else "applies `sigmoid` itself"
        yield Diagnostic(
            "W602",
            f"`{call.name.text}` takes a logit and {why}, and `{' '.join(value.span.text.split())}` has been through `{maker.op}`",
            Label(value.span),
            (Label(maker.origin[0], "applied here already"),),
            help=f"bind the value before `{maker.op}`: `logit = ... -> dense(1)`, `output probability = sigmoid(logit)`, "
            f"and give `logit` to `{call.name.text}`",
        )
