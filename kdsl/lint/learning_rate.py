"""W608: a learning rate far from what its optimizer works with."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject

# Far below and far above what is used in practice, and the common value.
USUAL = {
    "sgd": (1e-5, 2.0, "0.01"),
    "rmsprop": (1e-6, 0.1, "1e-3"),
    "adam": (1e-6, 0.1, "1e-3"),
    "adamw": (1e-6, 0.1, "1e-3"),
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    training = subject.program.training
    if training is None or training.optimizer.name not in USUAL:
        return
    optimizer = training.optimizer
    rate = dict(optimizer.numbers).get("lr")
    low, high, common = USUAL[optimizer.name]
    if rate is None or low <= rate <= high:
        return
    effect = (
        "nothing is learned"
        if rate == 0
        else "training will hardly move"
        if rate < low
        else "training will likely diverge"
    )
    yield Diagnostic(
        "W608",
        f"a learning rate of {rate:g} is unusual for `{optimizer.name}`: {effect}",
        Label(optimizer.span),
        help=f"`lr = {common}` is the usual start",
    )
