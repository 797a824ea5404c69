"""The rules in order, and how they are run."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate.program import Elaborated
from kdsl.lint import (
    clipped_regression,
    dense_after_dense,
    dropout_before_loss,
    learning_rate,
    repeat_without_braces,
    sigmoid_before_loss,
    softmax_before_loss,
    unused_size,
    unused_value,
)
from kdsl.lint.subject import Rule, subjects
from kdsl.syntax import tree

RULES: tuple[Rule, ...] = (
    softmax_before_loss.check,
    sigmoid_before_loss.check,
    unused_value.check,
    unused_size.check,
    clipped_regression.check,
    dropout_before_loss.check,
    learning_rate.check,
    repeat_without_braces.check,
    dense_after_dense.check,
)


def lint(file: tree.File, elaborated: Elaborated) -> tuple[Diagnostic, ...]:
    """Warnings in the order of the text; none for a file with errors, which come first."""
    if any(diagnostic.severity == "error" for diagnostic in elaborated.diagnostics):
        return ()
    found = [diagnostic for subject in subjects(file, elaborated) for rule in RULES for diagnostic in rule(subject)]
    return tuple(sorted(dict.fromkeys(found), key=lambda diagnostic: (diagnostic.span.start, diagnostic.code)))
