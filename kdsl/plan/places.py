"""Where the values of a row function are while it is planned, and what it knows of the rest of the module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kdsl.plan.launch import Buffer
from kdsl.plan.maps import Maps
from kdsl.plan.names import Names

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
    "partial",
    "numbers",
    "blocks",
    "loss",
    "totals",
    "capacity",
    "block",
    "room",
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
class Panels:
    """A matrix of weights that only products read: it lies in panels. `path` is the weight's."""

    path: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A number made of the batch's sums, known once the rows of a stage are through: its text there, with `sum_0` ..
    `single` is the place of the one sum that it is the mean of, if it is one."""

    text: str
    stage: int
    single: int | None = None


Place = Buffer | Data | Number | Panels | Sum


@dataclass(frozen=True, slots=True)
class View:
    """How a kernel reads a value: element [r, i, j ..] is at `at + r * row + i * strides[0] + j * strides[1] ..`.

    row     0 where the value has no rows
    buffer  what it lies in; None for a plain number
    number  text of the number, where the value is one number for the whole batch
    """

    at: str
    row: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    buffer: Buffer | None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """What the functions of a model share: names of weights, of their copies in panels and transposed, and of constants.

    weight      path -> name of the weight's place
    in_panels   path -> whether it lies in panels; `panels` and `transposed` give the names of copies
    taken       names that must not be given again; `names` gives those of kernels, which functions do not give either
    """

    weight: Callable[[str], str]
    in_panels: Callable[[str], bool]
    panels: Callable[[str], str]
    transposed: Callable[[str], str]
    constant: Callable[[tuple[float, ...]], str]
    maps: Maps
    taken: frozenset[str]
    names: Names | None = None
