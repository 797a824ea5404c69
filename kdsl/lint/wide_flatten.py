"""W618: a flattened image in front of a dense layer that then has most of the network's weights."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject

MOST = 16_000_000  # weights of one dense layer


def check(subject: Subject) -> Iterator[Diagnostic]:
    layers = {record.value: record for record in subject.program.layers}
    for record in subject.program.layers:
        before = layers.get(record.inputs[0]) if record.layer == "dense" and record.inputs else None
        while before is not None and before.layer == "dropout":
            before = layers.get(before.inputs[0])
        if before is None or before.layer != "flatten":
            continue
        width, units = before.type.shape[-1], record.type.shape[-1]
        if width * units > MOST:
            yield Diagnostic(
                "W618",
                f"`dense` behind `flatten` has {width * units:,} weights: {width:,} numbers come in",
                Label(record.span),
                (Label(before.span, f"makes {width:,} numbers of each sample"),),
                help="make less of them first: `-> max_pool(2)`, or `-> global_avg_pool` for `flatten`",
            )
