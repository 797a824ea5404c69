"""What the class `Model` asks of the compiled part of a module, whichever target made it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = Any  # what NumPy computes with: an array, or a number where it broadcasts
Arrays = tuple[np.ndarray, ...]
Weights = dict[str, np.ndarray]


class Core(Protocol):
    """Weights, optimizer state and compiled steps. It checks nothing: what it is given has been checked.

    Inputs and targets are C-contiguous arrays with the rows first, of the declared type (u8 -> uint8, i32 and index ->
    int32, bool -> uint8, f32 -> the module's scalar type); they may be read-only. Totals are float64: the mean loss and
    metrics of each batch times its rows, summed.
    """

    nbytes: int  # of every buffer it holds

    def get_weight(self, name: str) -> Array: ...
    def set_weight(self, name: str, value: Array) -> None: ...
    def get_slot(self, slot: str, name: str) -> Array: ...
    def set_slot(self, slot: str, name: str, value: Array) -> None: ...

    def train(
        self, inputs: Arrays, targets: Arrays, order: Array, batch_size: int, step: int, seed: int, hyper: Array
    ) -> tuple[Array, int]:
        """Steps over the rows `order`, batch after batch -> (totals, first step whose loss was not finite, or -1).

        `hyper` has a row for each step: the optimizer's numbers, float64."""

    def evaluate(self, inputs: Arrays, targets: Arrays, start: int, stop: int) -> Array: ...
    def predict(self, inputs: Arrays, start: int, stop: int) -> Arrays: ...
