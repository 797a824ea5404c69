"""W621: a name in a body that hides one of the file, so that the same word means two things."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import nodes_of
from kdsl.syntax import tree

KINDS = {tree.Dim: "dim", tree.Block: "block", tree.Fn: "formula"}


def check(file: tree.File) -> Iterator[Diagnostic]:
    outer: dict[str, tuple[str, tree.Name]] = {}
    for item in file.items:
        if isinstance(item, (tree.Dim, tree.Block, tree.Fn)):
            outer.setdefault(item.name.text, (KINDS[type(item)], item.name))
        elif isinstance(item, tree.Import):
            for name, alias in item.names:
                outer.setdefault((alias or name).text, ("import", alias or name))
    for item in file.items:
        if isinstance(item, (tree.Model, tree.Block, tree.Fn)):
            yield from hiding(item, outer)


def hiding(item: tree.Model | tree.Block | tree.Fn, outer: dict[str, tuple[str, tree.Name]]) -> Iterator[Diagnostic]:
    own = dict(outer)
    for name in [*(parameter.name for parameter in item.parameters or ()), *bound(item)]:
        if name.text in outer:
            yield report(name, *outer[name.text])
        own.setdefault(name.text, ("value", name))
    for part in nodes_of(item.body):
        if isinstance(part, tree.For):
            for name in part.names:
                if name.text in own:
                    yield report(name, *own[name.text])


def bound(item: tree.Model | tree.Block | tree.Fn) -> Iterator[tree.Name]:
    """The names that the statements of a body bind."""
    for statement in item.body:
        if isinstance(statement, tree.Let):
            yield from statement.names
        elif isinstance(statement, (tree.Input, tree.Target, tree.Weight)):
            yield statement.name


def report(name: tree.Name, kind: str, first: tree.Name) -> Diagnostic:
    return Diagnostic(
        "W621",
        f"`{name.text}` hides the {kind} of that name",
        Label(name.span),
        (Label(first.span, f"the {kind}"),),
        help="choose another name",
    )
