"""W601: probabilities given to a loss that takes logits."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject
from kdsl.syntax import tree


def check(subject: Subject) -> Iterator[Diagnostic]:
    for call in subject.comparisons():
        node = subject.made_by(call, "log_softmax")
        maker = None if node is None else subject.maker(node.inputs[0])
        if maker is not None and maker.op in ("softmax", "sigmoid"):
            yield already_applied(call, maker.op, maker.origin[0].text, Label(maker.origin[0], "applied here already"))


def already_applied(call: tree.Call, op: str, text: str, where: Label) -> Diagnostic:
    value = call.arguments[0].value
    name = value.span.text if isinstance(value, tree.Path) else "the value"
    binding = name if isinstance(value, tree.Path) else "probabilities"
    return Diagnostic(
        "W601",
        f"`{call.name.text}` takes logits, and `{name}` has been through `{op}`"
        if isinstance(value, tree.Path)
        else f"`{call.name.text}` takes logits, and gets what `{op}` made",
        Label(value.span),
        (where,),
        help=f"bind the value before `{op}`: `logits = ... -> dense(10)`, `output {binding} = {op}(logits)`, "
        "and give `logits` to the loss",
    )
