"""W623: an activation twice in a row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.mending import without
from kdsl.lint.subject import nodes_of
from kdsl.syntax import tree

SAME = frozenset({"relu", "relu6"})  # a second one changes nothing
ACTIVATIONS = SAME | {"sigmoid", "tanh", "softmax", "gelu", "silu", "elu", "selu", "softplus", "softsign", "mish"}


def check(file: tree.File) -> Iterator[Diagnostic]:
    for part in nodes_of(file.items):
        if not isinstance(part, (tree.Pipe, tree.Chain)):
            continue
        for first, second in pairwise(part.steps):
            if not isinstance(first, tree.Layer) or not isinstance(second, tree.Layer):
                continue
            name = second.name.text
            if first.name.text != name or name not in ACTIVATIONS:
                continue
            effect = "the second changes nothing" if name in SAME else "the second flattens what the first made"
            safe = name in SAME and second.alias is None
            yield Diagnostic(
                "W623",
                f"`{name}` follows `{name}`: {effect}",
                Label(second.span),
                (Label(first.span, "the first"),),
                help="leave one out",
                edits=without(first.span.stop, second.span.stop, part.span) if safe else (),
            )
