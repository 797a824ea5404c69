"""What the compiler knows of a model, as the tables at the head of its module say it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Port(NamedTuple):
    """An input, target or output: the type of one sample, and where the source declares it."""

    name: str
    dtype: str  # u8, i32, index, bool or f32
    shape: tuple[int, ...]
    place: str
    classes: int = 0  # n of index(n)

    def __str__(self) -> str:
        dtype = f"index({self.classes})" if self.dtype == "index" else self.dtype
        return f"{self.name}: {dtype}{list(self.shape) if self.shape else ''}"


class Weight(NamedTuple):
    """A weight: name, shape, and the line that made it."""

    name: str
    shape: tuple[int, ...]
    place: str
    trainable: bool = True


class Layer(NamedTuple):
    """A layer as written: a row of `summary`. A block's call comes before what is in it, which is a level deeper."""

    path: str
    call: str
    output: str
    parameters: int
    place: str
    flops: int = 0  # forward, for each sample
    level: int = 0


class Training(NamedTuple):
    """The train block. `numbers` are the optimizer's, `slots` the states it keeps for each weight, `watches` is the number
    that the schedule looks at when an epoch ends, `schedule_numbers` are those it was given, times in their own unit."""

    loss: str
    metrics: tuple[str, ...]
    optimizer: str
    numbers: dict[str, float]
    slots: tuple[str, ...]
    batch_size: int
    epochs: int
    seed: int | None
    validation_split: float
    flops: int  # of a training step, for each sample
    schedule: str = ""
    watches: str = ""
    schedule_numbers: dict[str, float] = {}


class Declaration(NamedTuple):
    """A model, all in one place."""

    name: str
    source: str  # name of the file it was compiled from
    digest: str  # SHA-256 of that file
    scalar: str  # float32 or float64
    inputs: tuple[Port, ...]
    targets: tuple[Port, ...]
    outputs: tuple[Port, ...]
    weights: tuple[Weight, ...]
    layers: tuple[Layer, ...]
    flops: int  # of predict, for each sample
    training: Training | None

    @property
    def trained(self) -> Training:
        """The train block; an error that says so where the source has none."""
        if self.training is None:
            raise RuntimeError(
                f"{self.name} cannot be trained or evaluated: {self.source} has no `train {self.name} {{ ... }}` block. "
                "It can predict, and be given weights with load_weights or set_weights."
            )
        return self.training

    @property
    def structure(self) -> str:
        """A hash of all that a weight file must agree with: names, shapes, scalar type."""
        parts = [f"{weight.name}{weight.shape}" for weight in self.weights]
        return hashlib.sha256("\n".join([self.scalar, *parts]).encode()).hexdigest()
