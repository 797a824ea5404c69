"""An optimizer's update, as functions whose text goes into generated modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kdsl.records import dataclass


@dataclass(frozen=True)
class Rule:
    """One form of an optimizer.

    slots         arrays kept for every weight
    coefficients  (step, number, ...) -> floats, in double precision. `step` counts from 0; the numbers are those of the
                  optimizer with these parameters' names
    update        (weight, gradient, slot, ..., coefficient, ...) -> (weight, slot, ...): straight-line elementwise text
                  in the vocabulary of references, new arrays for old ones
    """

    slots: tuple[str, ...]
    coefficients: Callable[..., tuple[float, ...]]
    update: Callable[..., tuple[Any, ...]]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The optimizer's numbers that `coefficients` takes after the step."""
        code = self.coefficients.__code__  # `inspect` takes long to import
        return tuple(code.co_varnames[1 : code.co_argcount])

    def at(self, step: int, numbers: Mapping[str, float]) -> tuple[float, ...]:
        """The coefficients of one step."""
        return self.coefficients(step, *(numbers[name] for name in self.numbers))
