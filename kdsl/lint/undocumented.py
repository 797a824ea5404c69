"""W619: a model or block without a doc comment."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    for item in file.items:
        if isinstance(item, (tree.Model, tree.Block)) and not item.doc:
            kind = "model" if isinstance(item, tree.Model) else "block"
            help = "say in a line above it what it is: `## ...`"
            yield Diagnostic(
                "W619", f"the {kind} `{item.name.text}` has no doc comment", Label(item.name.span), help=help
            )
