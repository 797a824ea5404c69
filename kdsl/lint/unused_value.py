"""W603: a value, an input or a target that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.mending import without_statement
from kdsl.lint.subject import names_used, trains_of
from kdsl.syntax import tree

FIXED = frozenset({"int", "float", "bool", "word", "list", "layer"})  # types of parameters that are no tensors


def check(file: tree.File) -> Iterator[Diagnostic]:
    for item in file.items:
        if isinstance(item, tree.Model):
            trains = trains_of(file, item)
            used = names_used(item.body, trains)
            for statement in item.body:
                yield from unused(statement, used, bool(trains))
        elif isinstance(item, (tree.Block, tree.Fn)):
            used = names_used(item.parameters, item.body)
            for statement in item.body:
                yield from unused(statement, used, False)
            if isinstance(item, tree.Block):
                yield from unused_inputs(item, names_used(item.body))


def unused(statement: tree.Statement, used: set[str], trained: bool) -> Iterator[Diagnostic]:
    """A target is for the `train` block, and there may be none."""
    if isinstance(statement, tree.Let):
        one = len(statement.names) == 1
        for name in statement.names:
            help = f"use it, give it out with `output {name.text}`, or remove it"
            yield from report(name, "", help, used, without_statement(statement.span, statement.doc) if one else ())
    elif isinstance(statement, tree.Input) or (isinstance(statement, tree.Target) and trained):
        yield from report(statement.name, f"the {type(statement).__name__.lower()} ", "use it or remove it", used)
    elif isinstance(statement, tree.Weight):
        yield from report(statement.name, "the weight ", "use it or remove it", used)


def unused_inputs(block: tree.Block, used: set[str]) -> Iterator[Diagnostic]:
    for parameter in block.parameters:
        if parameter.type is not None and parameter.type.name.text not in FIXED:
            yield from report(parameter.name, "the input ", "use it or remove it", used)


def report(name: tree.Name, kind: str, help: str, used: set[str], edits: tuple[Edit, ...] = ()) -> Iterator[Diagnostic]:
    if name.text not in used and not name.text.startswith("_"):
        message = f"{kind}`{name.text}` is never used"
        yield Diagnostic("W603", message, Label(name.span), help=help, edits=edits)
