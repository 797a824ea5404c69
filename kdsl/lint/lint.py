"""How the rules are run."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate.program import Elaborated
from kdsl.lint.ignoring import silenced
from kdsl.lint.rules import DEFAULT, RULES
from kdsl.lint.subject import subjects
from kdsl.syntax import tree


def lint(file: tree.File, elaborated: Elaborated, chosen: frozenset[str] = DEFAULT) -> tuple[Diagnostic, ...]:
    """Warnings in the order of the text; none for a file with errors, which come first. `chosen`: codes of rules."""
    if any(diagnostic.severity == "error" for diagnostic in elaborated.diagnostics):
        return ()
    own = (found for found in findings(file, elaborated, chosen) if found.span.source is file.source)
    once = {(found.code, found.span): found for found in own}
    kept = silenced(file.source, list(once.values()), chosen)
    return tuple(sorted(kept, key=lambda found: (found.span.start, found.code)))


def findings(file: tree.File, elaborated: Elaborated, chosen: frozenset[str]) -> Iterator[Diagnostic]:
    models = list(subjects(file, elaborated))
    for rule in RULES:
        if rule.code not in chosen:
            continue
        if rule.file is not None:
            yield from rule.file(file)
        for subject in models if rule.model is not None else ():
            assert rule.model is not None
            yield from rule.model(subject)
