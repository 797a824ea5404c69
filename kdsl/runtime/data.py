"""Data at the door: checked once against the model's declaration and converted to what the compiled code reads.

What is harmless is accepted (lists, data frames, other number types that hold the same values, any memory layout); what
is not is refused with the name of the argument, what was given, what is wanted and the line that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kdsl.runtime.declaration import Port
from kdsl.runtime.engine import Array, Arrays

STORED = {"u8": "uint8", "i32": "int32", "index": "int32", "bool": "uint8"}
ROWS_AT_ONCE = 1 << 20  # elements looked at together when a bad value is searched


def arrays_for(ports: tuple[Port, ...], value: Any, argument: str, kind: str, scalar: str) -> Arrays:
    """The arrays of `value`, one for each port: a single array, a tuple in the ports' order, or a dict by name."""
    if not ports:
        if value is None or (isinstance(value, (Mapping, tuple, list)) and not value):
            return ()
        raise ValueError(f"{argument}: this model has no {kind}; leave it out")
    if value is None:
        raise TypeError(f"{argument} is missing: the model wants {_listed(ports)}")
    if isinstance(value, Mapping):
        unknown = [str(name) for name in value if name not in {port.name for port in ports}]
        missing = [port for port in ports if port.name not in value]
        if missing:
            raise ValueError(
                f"{argument} has no array for {_listed(missing)}{'; it has ' if value else ''}{', '.join(map(str, value))}"
            )
        if unknown:
            raise ValueError(f"{argument} has {', '.join(unknown)}, but the model's {kind}: {_listed(ports)}")
        return _same_rows(
            {f"{argument}[{p.name!r}]": array_for(p, value[p.name], f"{argument}[{p.name!r}]", scalar) for p in ports}
        )
    if len(ports) == 1:
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], np.ndarray):
            value = value[0]
        return (array_for(ports[0], value, argument, scalar),)
    if not isinstance(value, (tuple, list)):
        raise TypeError(
            f"{argument}: the model has {len(ports)} {kind} ({_listed(ports)}): give a tuple in this order, or a dict by name; "
            f"got {_described(value)}"
        )
    if len(value) != len(ports):
        raise ValueError(f"{argument} has {len(value)} arrays, the model has {len(ports)} {kind}: {_listed(ports)}")
    return _same_rows(
        {
            f"{argument}[{i}]": array_for(p, v, f"{argument}[{i}]", scalar)
            for i, (p, v) in enumerate(zip(ports, value, strict=True))
        }
    )


def array_for(port: Port, value: Any, argument: str, scalar: str) -> Array:
    """`value` as C-contiguous rows of the port's type; the same memory where it already fits."""
    dtype = np.dtype(STORED.get(port.dtype, scalar))
    array = _as_numbers(value, argument, port)
    array = _as_rows(array, argument, port)
    if array.shape[0] == 0:
        raise ValueError(f"{argument} has no rows ({_wanted(port)})")
    if array.size == 0 or (array.dtype == dtype and port.dtype == "u8"):
        return np.ascontiguousarray(array, dtype)  # every byte is a legal value
    if port.dtype == "f32":
        return _as_floats(array, argument, port, dtype)
    return _as_whole(array, argument, port, dtype)


def check_rows(named: dict[str, Arrays]) -> int:
    """The number of rows that all arrays have -> rows; an error where they differ."""
    lengths = {argument: len(arrays[0]) for argument, arrays in named.items() if arrays}
    if len(set(lengths.values())) > 1:
        raise ValueError("different numbers of rows: " + ", ".join(f"{a} has {n}" for a, n in lengths.items()))
    return next(iter(lengths.values()))


def _same_rows(named: dict[str, Array]) -> Arrays:
    check_rows({argument: (array,) for argument, array in named.items()})
    return tuple(named.values())


def _as_numbers(value: Any, argument: str, port: Port) -> Array:
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(f"{argument} has masked values: fill or drop them first ({_wanted(port)})")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:  # ragged lists
        raise ValueError(f"{argument} is no rectangular array: {error} ({_wanted(port)})") from error
    if array.dtype.kind not in "buif":
        what = {
            "O": "Python objects",
            "c": "complex numbers",
            "U": "text",
            "S": "bytes",
            "M": "dates",
            "m": "durations",
        }
        hint = {
            "O": "; make it one array of numbers (missing values and rows of different lengths give such arrays)",
            "U": "; give each text a number first",
            "S": "; give each text a number first",
        }
        kind = array.dtype.kind
        raise TypeError(
            f"{argument} holds {what.get(kind, 'records')} (dtype {array.dtype}), not numbers{hint.get(kind, '')} ({_wanted(port)})"
        )
    return array


def _as_rows(array: Array, argument: str, port: Port) -> Array:
    """(rows, *shape); a column counts as a scalar for each row, and the other way round."""
    wanted = port.shape
    if array.shape[1:] == wanted and array.ndim > 0:
        return array
    if (wanted == () and array.ndim == 2 and array.shape[1] == 1) or (wanted == (1,) and array.ndim == 1):
        return array.reshape(len(array), *wanted)
    raise ValueError(
        f"{argument} has shape {array.shape}, wanted is {_rows(port)} for {_wanted(port)}{_shape_hint(array, argument, port)}"
    )


def _shape_hint(array: Array, argument: str, port: Port) -> str:
    wanted, given = port.shape, array.shape
    if given == wanted:
        return f"; a single sample needs an axis for the rows: {argument}[None]"
    if port.dtype == "index" and not wanted and len(given) == 2:
        return f"; these look like one-hot labels, give the numbers of the classes: {argument}.argmax(axis=-1)"
    if len(given) == len(wanted) + 1 and len(wanted) > 1 and given[1:] == (wanted[-1], *wanted[:-1]):
        axes = ", ".join(map(str, (0, *range(2, len(given)), 1)))
        return f"; channels come last: {argument}.transpose({axes})"
    if len(given) > 1 and given[0] > 0 and int(np.prod(given[1:])) == int(np.prod(wanted)):
        return f"; the sizes fit: {argument}.reshape({', '.join(map(str, (-1, *wanted)))})"
    return ""


def _as_floats(array: Array, argument: str, port: Port, dtype: np.dtype[Any]) -> Array:
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype)
    # NaN and infinities show in the extremes, without an array of flags
    if not (np.isfinite(converted.min()) and np.isfinite(converted.max())):
        row, value = _first(array, lambda part: ~np.isfinite(part.astype(dtype, copy=False)))
        what = (
            f"a value beyond {dtype.name}"
            if np.isfinite(value)
            else "a missing value"
            if np.isnan(value)
            else "an infinite value"
        )
        raise ValueError(f"{argument} has {what} ({value}) in row {row} ({_wanted(port)})")
    return converted


def _as_whole(array: Array, argument: str, port: Port, dtype: np.dtype[Any]) -> Array:
    low, high = _limits(port)
    smallest, largest = array.min(), array.max()
    if not (low <= smallest and largest <= high):  # also where NaN is among them
        row, value = _first(array, lambda part: ~((part >= low) & (part <= high)))
        raise ValueError(
            f"{argument} has {value} in row {row}, outside {low}..{high} ({_wanted(port)}){_range_hint(port, smallest, largest)}"
        )
    converted = np.ascontiguousarray(array, dtype)
    if array.dtype.kind == "f" and not np.array_equal(converted, array):
        row, value = _first(array, lambda part: part != np.trunc(part))
        raise ValueError(
            f"{argument} has {value} in row {row}, not a whole number ({_wanted(port)}){_fraction_hint(argument, port, largest)}"
        )
    return converted


def _limits(port: Port) -> tuple[int, int]:
    return {"u8": (0, 255), "i32": (-(2**31), 2**31 - 1), "bool": (0, 1), "index": (0, port.classes - 1)}[port.dtype]


def _range_hint(port: Port, smallest: Any, largest: Any) -> str:
    if port.dtype == "index" and smallest == 1 and largest == port.classes:
        return "; numbers start at 0: subtract 1"
    if port.dtype == "bool" and smallest == -1 and largest == 1:
        return "; write 0 for -1"
    return ""


def _fraction_hint(argument: str, port: Port, largest: Any) -> str:
    if port.dtype == "u8" and largest <= 1:
        return f"; bytes are 0..255, not 0..1: np.round({argument} * 255), or declare `{port.name}: f32{list(port.shape) or ''}`"
    return ""


def _first(array: Array, bad: Any) -> tuple[int, Any]:
    """(row, value) of the first element that `bad` marks; a piece of the rows at a time."""
    flat = array.reshape(len(array), -1)
    rows = max(1, ROWS_AT_ONCE // flat.shape[1])
    for start in range(0, len(flat), rows):
        part = flat[start : start + rows]
        with np.errstate(all="ignore"):
            found = np.argwhere(bad(part))
        if len(found):
            row, column = found[0]
            return start + int(row), part[row, column].item()
    raise AssertionError("no bad value")


def _rows(port: Port) -> str:
    return f"({', '.join(map(str, ('rows', *port.shape)))}{'' if port.shape else ','})"


def _wanted(port: Port) -> str:
    return f"`{port}`, {port.place}"


def _listed(ports: Any) -> str:
    return ", ".join(f"`{port}` ({port.place})" for port in ports)


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__} of shape {shape}" if shape is not None else type(value).__name__
