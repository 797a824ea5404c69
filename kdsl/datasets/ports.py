"""Holds an array against the input or target it is meant for: shape and dtype, converted only where nothing is lost."""

from __future__ import annotations

import numpy as np

from kdsl.datasets.dataset import Array, DataError, Split
from kdsl.elaborate.program import ModelProgram, Port

# The integers each declared dtype can hold; index(n) holds 0 to n - 1, f32 takes any number.
RANGES = {"u8": (0, 255), "i32": (-(2**31), 2**31 - 1), "bool": (0, 1)}
STORED = {"u8": np.uint8, "i32": np.int32, "index": np.int32, "bool": np.bool_}


def declared(port: Port) -> str:
    """`image: u8[28, 28] (digits.kmodel:3)`: the port, and where the model says so."""
    return f"{port.name}: {port.type} ({port.span.source.name}:{port.span.line})"


def split(program: ModelProgram, arrays: dict[str, Array], where: str) -> Split:
    """Arrays by the name of their port -> a split, every array checked, all of one length."""
    ready = {port.name: fitted(port, arrays[port.name], where) for port in (*program.inputs, *program.targets)}
    lengths = {name: len(array) for name, array in ready.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} has {rows:,}" for name, rows in lengths.items())
        raise DataError(f"{where}: every input and target needs the same number of rows, but {counts}")
    if 0 in lengths.values():
        raise DataError(f"{where} holds no rows")
    return Split({p.name: ready[p.name] for p in program.inputs}, {p.name: ready[p.name] for p in program.targets})


def fitted(port: Port, array: Array, where: str) -> Array:
    """The array in the port's shape, with a dtype that `fit` takes."""
    if array.ndim == 0:
        raise DataError(f"{where}: a single number was given for {declared(port)}, which wants one value per row")
    return stored(port, shaped(port, array, where), where)


def shaped(port: Port, array: Array, where: str) -> Array:
    """Axes of length 1 may come and go, and a flat row may stand for a shaped one; nothing else is guessed."""
    given, wanted = array.shape[1:], port.type.shape
    if given == wanted:
        return array
    same_axes = [n for n in given if n != 1] == [n for n in wanted if n != 1]
    one_is_flat = len(given) <= 1 or len(wanted) <= 1
    if same_axes or (one_is_flat and np.prod(given, dtype=int) == port.type.size):
        return array.reshape(len(array), *wanted)
    rows = " x ".join(map(str, given)) or "a single number"
    raise DataError(f"{where}: a row is {rows}, which does not fit {declared(port)}")


def stored(port: Port, array: Array, where: str) -> Array:
    """Numbers in the declared dtype. Fractions and numbers out of range are refused, never cut."""
    if array.dtype.kind not in "fiub":
        raise DataError(f"{where}: {declared(port)} wants numbers, the data has {array.dtype}")
    if port.type.dtype == "f32":
        return array if array.dtype.kind == "f" else array.astype(np.float32 if array.itemsize < 4 else np.float64)
    target = STORED[port.type.dtype]
    if not array.size or (array.dtype == target and port.type.classes is None):
        return array.astype(target, copy=False)
    low, high = RANGES[port.type.dtype] if port.type.classes is None else (0, port.type.classes - 1)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{where}: the data for {declared(port)} has missing or infinite numbers")
    smallest, largest = array.min(), array.max()
    if array.dtype.kind == "f" and (np.floor(array) != array).any():
        help = f"; declare it f32{port.type.dims if port.type.shape else ''} instead" if port.type.dtype == "u8" else ""
        raise DataError(
            f"{where}: {declared(port)} wants whole numbers, the data has fractions "
            f"(from {smallest:g} to {largest:g}){help}"
        )
    if smallest < low or largest > high:
        raise DataError(
            f"{where}: {declared(port)} holds {low} to {high}, the data goes from {smallest:g} to {largest:g}"
        )
    return array.astype(target, copy=False)
