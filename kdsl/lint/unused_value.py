"""W603: a value that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject, names_used
from kdsl.syntax import tree


def check(subject: Subject) -> Iterator[Diagnostic]:
    used = names_used(subject.model.body, subject.train)
    for statement in subject.model.body:
        for name in bound(statement, trained=subject.train is not None):
            if name.text in used or name.text.startswith("_"):
                continue
            kind = {tree.Input: "the input ", tree.Target: "the target "}.get(type(statement), "")
            yield Diagnostic(
                "W603",
                f"{kind}`{name.text}` is never used",
                Label(name.span),
                help=f"use it, give it out with `output {name.text}`, or remove it"
                if isinstance(statement, tree.Let)
                else "use it or remove it",
            )


def bound(statement: tree.Statement, trained: bool) -> tuple[tree.Name, ...]:
    """Names that should be read somewhere; a target is for the `train` block, and there may be none."""
    if isinstance(statement, tree.Let):
        return statement.names
    if isinstance(statement, tree.Input) or (isinstance(statement, tree.Target) and trained):
        return (statement.name,)
    return ()
