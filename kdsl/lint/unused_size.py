"""W604: a `dim` or parameter that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import has_model, names_used, trains_of
from kdsl.lint.unused_value import FIXED
from kdsl.syntax import tree


def check(file: tree.File) -> Iterator[Diagnostic]:
    """A file without a model may have its dims for others."""
    everywhere = names_used(file.items)
    for item in file.items:
        if isinstance(item, tree.Dim) and has_model(file) and item.name.text not in everywhere:
            yield unused("the dim", item.name)
        elif isinstance(item, (tree.Model, tree.Block, tree.Fn)):
            yield from parameters(file, item)


def parameters(file: tree.File, item: tree.Model | tree.Block | tree.Fn) -> Iterator[Diagnostic]:
    trains = trains_of(file, item) if isinstance(item, tree.Model) else ()
    results = item.results if isinstance(item, tree.Block) else ()
    own = names_used(item.parameters, results, item.body, trains)
    for parameter in item.parameters or ():
        kind = parameter.type.name.text if parameter.type is not None else "int"
        if kind in FIXED and parameter.name.text not in own and not parameter.name.text.startswith("_"):
            yield unused("the parameter", parameter.name)


def unused(kind: str, name: tree.Name) -> Diagnostic:
    return Diagnostic(
        "W604", f"{kind} `{name.text}` changes nothing: it is never used", Label(name.span), help="use it or remove it"
    )
