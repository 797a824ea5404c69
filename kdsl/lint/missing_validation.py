"""W614: training that never looks at data it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.lint.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    training, train = subject.program.training, subject.train
    if training is not None and train is not None and training.validation_split == 0:
        yield Diagnostic(
            "W614",
            f"`{subject.model.name.text}` is trained without data to validate with",
            Label(train.head),
            help="keep some rows back, `validation_split = 0.1`, or give `fit` validation data",
        )
