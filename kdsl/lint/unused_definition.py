"""W611: a block or formula that nothing in a model's file uses."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import has_model, names_used
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    """A file without a model is a collection for others."""
    if not has_model(file):
        return
    for item in file.items:
        if not isinstance(item, (tree.Block, tree.Fn)):
            continue
        name = item.name.text
        others = tuple(other for other in file.items if other is not item)
        if name not in names_used(others) and not name.startswith("_"):
            kind = "block" if isinstance(item, tree.Block) else "formula"
            help = "use it, remove it, or move it into a file that others import"
            yield Diagnostic("W611", f"the {kind} `{name}` is never used", Label(item.name.span), help=help)
