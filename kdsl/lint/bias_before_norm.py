"""W613: a bias that batch normalisation takes away again."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.subject import Subject, nodes_of
from kdsl.source import Span
from kdsl.syntax import tree

CENTRING = frozenset({"batch_norm"})


def check(subject: Subject) -> Iterator[Diagnostic]:
    layers = {record.value: record for record in subject.program.layers}
    for record in subject.program.layers:
        before = layers.get(record.inputs[0]) if record.layer in CENTRING and record.inputs else None
        if before is None or not any(weight.endswith(".bias") for weight in before.weights):
            continue
        yield Diagnostic(
            "W613",
            f"`{record.layer}` subtracts the mean, and the bias of this `{before.layer}` with it",
            Label(before.span),
            (Label(record.span, "subtracted here"),),
            help="leave the bias out: `bias = false`",
            edits=unbiased(subject.file, before.span),
        )


def unbiased(file: tree.File, span: Span) -> tuple[Edit, ...]:
    """`bias = false` among the arguments of the layer at this place."""
    layer = next((part for part in nodes_of(file.items) if isinstance(part, tree.Layer) and part.span == span), None)
    if layer is None or not layer.arguments:
        return ()
    given = next((it for it in layer.arguments if it.name is not None and it.name.text == "bias"), None)
    if given is not None:
        return (Edit(given.value.span, "false"),)
    last = layer.arguments[-1].span
    return (Edit(Span(last.source, last.stop, last.stop), ", bias = false"),)
