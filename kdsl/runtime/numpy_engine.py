"""The compiled part of a module of the NumPy target: slow, readable, exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kdsl.runtime.declaration import Declaration
from kdsl.runtime.engine import Array, Arrays, Weights

ENGINE_ROWS = 256  # evaluated at once, counted from the first row: results do not depend on how calls are cut


def no_training(*arguments: object) -> Any:
    """Stands for the functions of training in a model that has no train block; `Model` never calls it."""
    raise RuntimeError("this model has no train block")


class Functions(NamedTuple):
    """A model's functions. `w` are the weights by name; each array has the rows first.

    predict    (w, *inputs) -> outputs
    evaluate   (w, *inputs, *targets) -> loss and metrics
    gradients  (w, seed, step, *inputs, *targets) -> (loss and metrics, gradient of each trained weight, new values of
               weights that are moving averages)
    update     (w, gradients, slots, step, *optimizer's numbers): changes weights and slots in place
    """

    predict: Callable[..., Arrays]
    evaluate: Callable[..., Arrays] = no_training
    gradients: Callable[..., tuple[Arrays, Weights, Weights]] = no_training
    update: Callable[..., None] = no_training


class NumpyEngine:
    """See `Core`. `threads` is NumPy's own affair here."""

    def __init__(self, declaration: Declaration, functions: Functions) -> None:
        self.functions = functions
        self.scalar = np.dtype(declaration.scalar)
        self.weights = {weight.name: np.zeros(weight.shape, self.scalar) for weight in declaration.weights}
        trained = [weight for weight in declaration.weights if weight.trainable]
        names = declaration.training.slots if declaration.training else ()
        self.slots = {slot: {weight.name: np.zeros(weight.shape, self.scalar) for weight in trained} for slot in names}
        self.results = 1 + len(declaration.training.metrics) if declaration.training else 0
        held = [*self.weights.values(), *(array for slot in self.slots.values() for array in slot.values())]
        self.nbytes = sum(array.nbytes for array in held)

    def get_weight(self, name: str) -> Array:
        return np.array(self.weights[name])

    def set_weight(self, name: str, value: Array) -> None:
        self.weights[name][...] = value

    def get_slot(self, slot: str, name: str) -> Array:
        return np.array(self.slots[slot][name])

    def set_slot(self, slot: str, name: str, value: Array) -> None:
        self.slots[slot][name][...] = value

    def train(
        self, inputs: Arrays, targets: Arrays, order: Array, batch_size: int, step: int, seed: int, hyper: Array
    ) -> tuple[Array, int]:
        totals = np.zeros(self.results)
        with np.errstate(all="ignore"):  # what is not finite shows in the loss
            for index, start in enumerate(range(0, len(order), batch_size)):
                rows = order[start : start + batch_size]
                batch = [array[rows] for array in (*inputs, *targets)]
                results, gradients, moved = self.functions.gradients(self.weights, seed, step + index, *batch)
                if not np.isfinite(results[0]):
                    return totals, index
                self.functions.update(self.weights, gradients, self.slots, step + index, *map(float, hyper[index]))
                for name, value in moved.items():
                    self.weights[name][...] = value
                totals += np.array(results, np.float64) * len(rows)
        return totals, -1

    def evaluate(self, inputs: Arrays, targets: Arrays, start: int, stop: int) -> Array:
        totals = np.zeros(self.results)
        with np.errstate(all="ignore"):
            for first in range(start, stop, ENGINE_ROWS):
                batch = [array[first : min(first + ENGINE_ROWS, stop)] for array in (*inputs, *targets)]
                totals += np.array(self.functions.evaluate(self.weights, *batch), np.float64) * len(batch[0])
        return totals

    def predict(self, inputs: Arrays, start: int, stop: int) -> Arrays:
        parts = []
        with np.errstate(all="ignore"):
            for first in range(start, stop, ENGINE_ROWS):
                batch = [array[first : min(first + ENGINE_ROWS, stop)] for array in inputs]
                parts.append(self.functions.predict(self.weights, *batch))
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))
