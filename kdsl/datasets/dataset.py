"""What every loader gives: arrays by the names of the model's inputs and targets, and the error all of them raise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class DataError(Exception):
    """Data that cannot be read or does not fit the model: one sentence or two, which name the file."""


class Split(NamedTuple):
    """Rows to train or to test with: arrays of shape (N, *shape) by the name of their input or target, as declared."""

    inputs: dict[str, Array]
    targets: dict[str, Array]

    @property
    def rows(self) -> int:
        return len(next(iter({**self.inputs, **self.targets}.values()), np.empty(0)))


@dataclass(frozen=True)
class DataSet:
    """`test` is None where the data has no test part; `unused` are the names in it that the model has no use for."""

    train: Split
    test: Split | None = None
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """How to read it.

    columns  of a table: those that feed an input or target, in order
    scalar   what `f32` becomes: the module's scalar type
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scalar: Literal["float32", "float64"] = "float32"


def listed(names: list[str] | tuple[str, ...], most: int = 12) -> str:
    """`a, b, c`, or the first few and how many more there are."""
    if not names:
        return "nothing"
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
