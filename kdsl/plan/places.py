"""Where the values of a row function are while it is planned, and what it knows of the rest of the module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kdsl.plan.launch import Buffer
from kdsl.plan.maps import Maps

# Names that stand for something else in a generated function.
LOCALS = [
    "mem",
    "job",
    "me",
    "rows",
    "start",
    "count",
    "chunk",
    "step",
    "first",
    "order",
    "sums",
    "partials",
    "capacity",
    "block",
    "scratch",
    "work",
    "zeros",
    "ones",
    "key",
    "Memory",
    "Bytes",
    "Ints",
    "Longs",
    "Doubles",
    "Double",
    "math",
    "os",
    "time",
]


class Unsupported(Exception):
    """A graph this target cannot compile: the compiler's own limit, not the user's mistake."""


@dataclass(frozen=True, slots=True)
class Data:
    """An input or target as the caller gave it."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Number:
    """One number for the whole batch: its text."""

    text: str

    @property
    def literal(self) -> float | None:
        """The number itself, where it is known when compiled."""
        try:
            return float(self.text)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A vector that does not change in a step, a weight or a constant: the name of its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A number made of the batch's sums: its text, and whether it is the mean of one sum over the rows."""

    text: str
    single: int | None = None


Place = Buffer | Data | Number | Fixed | Sum


@dataclass(frozen=True, slots=True)
class Outside:
    """What the row functions of a model share: names of weights, of their transposed copies and of constant vectors."""

    weight: Callable[[str], str]
    transposed: Callable[[str], str]
    constant: Callable[[tuple[float, ...]], str]
    maps: Maps
    taken: frozenset[str]
