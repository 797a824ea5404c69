"""Holds arrays against the inputs and targets they are meant for, with the checks that `fit` makes."""

from __future__ import annotations

import numpy as np

from kdsl.datasets.dataset import Array, DataError, Options, Split
from kdsl.elaborate.program import ModelProgram, Port
from kdsl.runtime.data import array_for, check_rows
from kdsl.runtime.declaration import Port as Declared


def declared(port: Port) -> str:
    """`image: u8[28, 28] (digits.kmodel:3)`: the port, and where the model says so."""
    return f"{port.name}: {port.type} ({place(port)})"


def place(port: Port) -> str:
    return f"{port.span.source.name}:{port.span.line}"


def split(program: ModelProgram, arrays: dict[str, Array], options: Options, where: str) -> Split:
    """Arrays by the name of their port -> a split, every array checked, all of one length."""
    ready = {port.name: fitted(port, arrays[port.name], options, where) for port in program.inputs + program.targets}
    try:
        check_rows({name: (array,) for name, array in ready.items()})
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    return Split({p.name: ready[p.name] for p in program.inputs}, {p.name: ready[p.name] for p in program.targets})


def fitted(port: Port, array: Array, options: Options, where: str) -> Array:
    """The array in the port's shape and dtype: where the runtime would refuse it, the message names the file."""
    wanted = Declared(port.name, port.type.dtype, port.type.shape, place(port), port.type.classes or 0)
    try:
        accepted: Array = array_for(wanted, shaped(port, array), port.name, options.scalar)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: {error}") from error
    return accepted


def shaped(port: Port, array: Array) -> Array:
    """Axes of length 1 may come and go, and a flat row may stand for a shaped one; nothing else is guessed."""
    given, wanted = array.shape[1:], port.type.shape
    same_axes = [n for n in given if n != 1] == [n for n in wanted if n != 1]
    one_is_flat = len(given) == 1 or len(wanted) == 1
    if array.ndim and (same_axes or (one_is_flat and np.prod(given, dtype=int) == port.type.size)):
        return array.reshape(len(array), *wanted)
    return array
