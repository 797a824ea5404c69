"""The class that users meet: `Model`, the base of every model in a generated module."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from kdsl.runtime.checkpoint import OPTIMIZER, read_header, read_weights, write_weights
from kdsl.runtime.data import arrays_for, check_rows
from kdsl.runtime.declaration import Declaration
from kdsl.runtime.engine import Array, Arrays, Core
from kdsl.runtime.progress import Progress
from kdsl.runtime.summary import summary_text
from kdsl.runtime.training import (
    Callback,
    History,
    Numbers,
    Pace,
    Rows,
    evaluate_rows,
    predict_rows,
    run_epochs,
    split,
    train_epoch,
)

Self = TypeVar("Self", bound="Model")


class Model:
    """A network with its weights and optimizer. `x` and `y` below are arrays (rows first), or for several inputs or
    targets tuples in their order or dicts by name; see `declaration` for names and types."""

    declaration: ClassVar[Declaration]

    def __init__(
        self,
        seed: int | None = None,
        *,
        threads: int | None = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        **numbers: float,
    ) -> None:
        """seed: of initial weights, shuffling and dropout; None takes the train block's, and without one a fresh one.
        threads: None leaves the choice to the module. batch_size, epochs, numbers: instead of the train block's."""
        declaration, training = self.declaration, self.declaration.training
        if seed is None and training is not None:
            seed = training.seed
        self._seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else _whole("seed", seed, 0)
        usual = (training.batch_size, training.epochs) if training else (1, 1)
        self._batch_size = _whole("batch_size", usual[0] if batch_size is None else batch_size, 1)
        self._epochs_wanted = _whole("epochs", usual[1] if epochs is None else epochs, 0)
        self._numbers = self._with_numbers(training.numbers | training.schedule_numbers if training else {}, numbers)
        self._scalar = declaration.scalar
        self._names = ("loss", *(training.metrics if training else ()))
        self._iterations = self._epochs = 0  # updates made, epochs finished
        self._epoch_steps = self._total_steps = 0  # of the last `fit`: what a schedule's times are measured by
        self._adapted = False  # `standardize` has numbers of its own
        self._memory: dict[str, float] = {}  # what a schedule knows of the epochs before
        self._step_pace, self._row_pace, self._predict_pace = Pace(), Pace(), Pace()
        self.history = History()
        self._core = self._make_core(None if threads is None else _whole("threads", threads, 1))
        for name, value in self._initial_weights(self._seed).items():
            self._core.set_weight(name, np.asarray(value, self._scalar, order="C"))

    def _make_core(self, threads: int | None) -> Core:
        raise NotImplementedError

    def _initial_weights(self, seed: int) -> dict[str, Array]:
        raise NotImplementedError

    def _rates(self, n: Mapping[str, float], step: Array, epoch: int, total: int) -> Array:
        """The learning rate of steps, by how many updates were made before them. A schedule has a method of its own."""
        return n["lr"]

    def _watch(self, n: Mapping[str, float], logs: dict[str, float]) -> None:
        """Shows a schedule what an epoch gave."""

    def _adapt(self, inputs: Arrays) -> None:
        """Shows the data to `standardize`. A model that has it has a method of its own."""

    def adapt(self, x: Any) -> None:
        """Gives `standardize` the mean and variance of `x`. The first `fit` does it with the rows it trains on, unless this,
        `set_weights` or `load_weights` did it before."""
        self._adapt(arrays_for(self.declaration.inputs, x, "x", "inputs", self._scalar))
        self._adapted = True

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        batch_size: int | None = None,
        epochs: int | None = None,
        shuffle: bool = True,
        validation_data: tuple[Any, Any] | None = None,
        validation_split: float | None = None,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] = (),
        initial_epoch: int = 0,
        **numbers: float,
    ) -> History:
        """Trains -> History, with `history.history["loss"]`, `["val_loss"]` and so on, a value for each epoch; with a schedule
        also `["lr"]`, that of the epoch's last step.

        Arguments left out are the constructor's, else the train block's. `epochs` is the last epoch's number: with
        `initial_epoch=5, epochs=10` five are trained. The last batch may be smaller. `validation_split` holds out the
        last rows, cut before shuffling; `validation_data=(x, y)` replaces it. `verbose`: "auto", 0, 1 (bar) or 2 (lines).
        Each callback is called as `callback(epoch, logs, model)` when an epoch ends; one that returns True stops the
        training. `numbers`: the optimizer's and schedule's for this call, such as `lr=1e-4`. Ctrl-C ends after the
        current steps with a usable model and the history so far in `model.history`. NonFiniteLoss: the loss became NaN or
        infinite."""
        training = self.declaration.trained
        rows = self._rows(x, y, "x", "y")
        validation, share = None, training.validation_split if validation_split is None else validation_split
        if not 0 <= share < 1:
            raise ValueError(f"validation_split is a share of the rows, at least 0 and below 1, not {share!r}")
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
                raise TypeError(f"validation_data is a pair (x, y), not {type(validation_data).__name__}")
            validation = self._rows(*validation_data, "validation_data[0]", "validation_data[1]")
        elif share:
            rows, validation = split(rows, share)
        batch_size = _whole("batch_size", self._batch_size if batch_size is None else batch_size, 1)
        last = _whole("epochs", self._epochs_wanted if epochs is None else epochs, 0)
        span = range(_whole("initial_epoch", initial_epoch, 0), last)
        if training.watches.startswith("val_") and validation is None:
            raise ValueError(
                f"{training.schedule} looks at {training.watches}, and there is no validation data: give validation_data or "
                "validation_split"
            )
        self._epoch_steps = -(-rows.size // batch_size)
        self._total_steps = self._epoch_steps * last
        if not self._adapted:
            self._adapt(rows.inputs)
            self._adapted = True
        self.history = History()
        progress = Progress(verbose, last)
        settings = self._settings(numbers)
        run_epochs(self, rows, validation, span, batch_size, shuffle, settings, progress, callbacks, self.history)
        return self.history

    def evaluate(self, x: Any, y: Any = None, *, batch_size: int | None = None) -> dict[str, float]:
        """{"loss": ..., metrics} over all rows, without dropout. It does not depend on `batch_size`, which is accepted
        because Keras has it."""
        del batch_size
        self.declaration.trained  # noqa: B018 - says what is missing
        return evaluate_rows(self._core, self._rows(x, y, "x", "y"), self._names, self._row_pace, self._scalar)

    def predict(self, x: Any, *, batch_size: int | None = None) -> Any:
        """The output for each row: an array, or with several outputs a dict of arrays. `batch_size` changes nothing."""
        del batch_size
        declaration = self.declaration
        inputs = arrays_for(declaration.inputs, x, "x", "inputs", self._scalar)
        outputs = predict_rows(self._core, inputs, len(inputs[0]), self._predict_pace)
        if len(outputs) == 1:
            return outputs[0]
        return {port.name: array for port, array in zip(declaration.outputs, outputs, strict=True)}

    def train_on_batch(self, x: Any, y: Any = None) -> dict[str, float]:
        """One step on these rows as one batch -> loss and metrics before the update. A schedule changes the learning rate
        once `fit` has said how many steps an epoch has."""
        self.declaration.trained  # noqa: B018 - says what is missing
        rows = self._rows(x, y, "x", "y")
        return train_epoch(self, rows, np.arange(rows.size), rows.size, self._settings({}), None, self._epochs)

    def summary(self, depth: int | None = None) -> None:
        """Prints the layers with shapes and parameters, FLOPs, and the bytes that this model's training holds. `depth`: how
        many levels of blocks are opened, 1 for a row for each call; None for all."""
        depth = None if depth is None else _whole("depth", depth, 1)
        print(summary_text(self.declaration, self._core.nbytes, depth))

    def get_weights(self) -> dict[str, np.ndarray]:
        """Copies of the weights, by name."""
        return {weight.name: self._core.get_weight(weight.name) for weight in self.declaration.weights}

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Replaces the weights that `weights` names; all are checked before the first is changed."""
        shapes = {weight.name: weight.shape for weight in self.declaration.weights}
        checked = {}
        for name, value in weights.items():
            if name not in shapes:
                raise ValueError(f"{self.declaration.name} has no weight {name!r}; it has {', '.join(shapes)}")
            array = np.asarray(value)
            if array.shape != shapes[name] or array.dtype.kind not in "buif":
                raise ValueError(f"{name} is {self._scalar}{list(shapes[name])}, not {array.dtype}{list(array.shape)}")
            checked[name] = np.asarray(array, self._scalar, order="C")
        for name, array in checked.items():
            self._core.set_weight(name, array)
        self._adapted |= any(weight.name in checked for weight in self.declaration.weights if not weight.trainable)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes weights, optimizer states and counters to an .npz file, or leaves the old file as it is. Training that
        goes on from `load(path)` with `initial_epoch` gives the bits it would have given without the break."""
        training = self.declaration.training
        arrays = self.get_weights()
        for weight, slot in self._slots():
            arrays[f"{OPTIMIZER}{slot}/{weight}"] = self._core.get_slot(slot, weight)
        header = {
            "model": self.declaration.name,
            "structure": self.declaration.structure,
            "source": self.declaration.digest,
            "optimizer": training.optimizer if training else None,
            "numbers": self._numbers,
            "seed": self._seed,
            "iterations": self._iterations,
            "epochs": self._epochs,
            "schedule": self._memory,
            "adapted": self._adapted,
        }
        write_weights(path, header, arrays)

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str], *, threads: int | None = None) -> Self:
        """A model as it was when `save(path)` was called. ValueError: the file is not this model's, and how it differs."""
        header = cls._header(path)
        training = cls.declaration.training
        if training is not None and header.get("optimizer") != training.optimizer:
            raise ValueError(
                f"{os.fspath(path)} was saved with the optimizer {header.get('optimizer')}, {cls.declaration.name} has "
                f"{training.optimizer}. load_weights takes the weights alone."
            )
        try:
            seed, iterations, epochs = (_whole(name, header[name], 0) for name in ("seed", "iterations", "epochs"))
            model = cls(seed, threads=threads)
            model._numbers = model._with_numbers(model._numbers, header["numbers"])
            model._memory = {str(name): float(value) for name, value in header.get("schedule", {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} has a damaged header: {error}") from error
        model._restore(path, optimizer=True)
        model._iterations, model._epochs = iterations, epochs
        model._adapted = bool(header.get("adapted", True))
        return model

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """The weights of a file that `save` made; optimizer states and counters stay. Checked before any is changed."""
        header = self._header(path)
        self._restore(path, optimizer=False)
        self._adapted = bool(header.get("adapted", True))

    @classmethod
    def _header(cls, path: str | os.PathLike[str]) -> dict[str, Any]:
        header = read_header(path)
        if header.get("structure") != cls.declaration.structure:
            shapes = {weight.name: weight.shape for weight in cls.declaration.weights}
            read_weights(path, shapes, cls.declaration.scalar, OPTIMIZER)  # says where they differ
            raise ValueError(
                f"{os.fspath(path)} is a file of {header.get('model')!a}, whose weights are arranged otherwise"
            )
        return header

    def _restore(self, path: str | os.PathLike[str], *, optimizer: bool) -> None:
        shapes = {weight.name: weight.shape for weight in self.declaration.weights}
        slots = self._slots() if optimizer else []
        wanted = shapes | {f"{OPTIMIZER}{slot}/{weight}": shapes[weight] for weight, slot in slots}
        arrays = read_weights(path, wanted, self._scalar, "" if slots else OPTIMIZER)
        for name in shapes:
            self._core.set_weight(name, arrays[name])
        for weight, slot in slots:
            self._core.set_slot(slot, weight, arrays[f"{OPTIMIZER}{slot}/{weight}"])

    def _slots(self) -> list[tuple[str, str]]:
        """(weight, slot) pairs of the optimizer's states."""
        training = self.declaration.training
        if training is None:
            return []
        return [
            (weight.name, slot) for weight in self.declaration.weights if weight.trainable for slot in training.slots
        ]

    def _rows(self, x: Any, y: Any, x_name: str, y_name: str) -> Rows:
        declaration = self.declaration
        inputs = arrays_for(declaration.inputs, x, x_name, "inputs", self._scalar)
        targets = arrays_for(declaration.targets, y, y_name, "targets", self._scalar)
        return Rows(inputs, targets, check_rows({x_name: inputs, y_name: targets}))

    def _with_numbers(self, known: Mapping[str, float], changed: Mapping[str, float]) -> dict[str, float]:
        numbers = dict(known)
        for name, value in changed.items():
            if name not in known:
                raise TypeError(
                    f"{self.declaration.name} has no number {name!r} to set; it has {', '.join(known) or 'none'}"
                )
            numbers[name] = float(value)
            if not math.isfinite(numbers[name]):
                raise ValueError(f"{name} is a finite number, not {value!r}")
        return numbers

    def _settings(self, changed: Mapping[str, float]) -> Numbers:
        numbers = self._with_numbers(self._numbers, changed)
        names = list(self.declaration.trained.numbers)
        values = np.array([numbers[name] for name in names], np.float64)
        return Numbers(numbers, values, names.index("lr"), self._epoch_steps, self._total_steps)


def _whole(name: str, value: Any, low: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {value!r}") from None
    if number < low or isinstance(value, bool):
        raise ValueError(f"{name} is a whole number of at least {low}, not {value!r}")
    return number
