"""W604: a `dim` or parameter that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject, names_used
from kdsl.syntax import tree


def check(subject: Subject) -> Iterator[Diagnostic]:
    everywhere = names_used(subject.file.items)
    for item in subject.file.items:
        if isinstance(item, tree.Dim) and item.name.text not in everywhere:
            yield unused("the dim", item.name)
    own = names_used(subject.model.parameters, subject.model.body, subject.train)
    for parameter in subject.model.parameters or ():
        if parameter.name.text not in own:
            yield unused("the parameter", parameter.name)


def unused(kind: str, name: tree.Name) -> Diagnostic:
    return Diagnostic(
        "W604", f"{kind} `{name.text}` changes nothing: it is never used", Label(name.span), help="use it or remove it"
    )
