"""Columns of numbers -> inputs and targets: what a csv file and scikit-learn's data sets have in common.

An input takes the column of its name (`price`), or `numbers.0`, `numbers.1` ... for a vector, or the columns given by
`--columns numbers=a,b,c`. An input for which there is none takes every column that is left, in their order, if their
number is its size and it is the only such input.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from kdsl.datasets.dataset import Array, DataError, Options, listed
from kdsl.datasets.ports import declared
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.program import ModelProgram, Port

Choice = dict[str, tuple[str, ...]]  # the columns of each input and target


def choose(program: ModelProgram, names: list[str], options: Options, where: str) -> Choice:
    """Which columns feed which input and target; raises DataError naming the one that finds none."""
    ports = program.inputs + program.targets
    _check_options(ports, names, options, where)
    chosen = {port.name: _own(port, names, options) for port in ports}
    homeless = [port for port in ports if not chosen[port.name]]
    taken = {column for columns in chosen.values() for column in columns}
    left = tuple(name for name in names if name not in taken)
    if len(homeless) == 1 and homeless[0] in program.inputs and len(left) == homeless[0].type.size:
        return {**chosen, homeless[0].name: left}
    if homeless:
        raise _missing(homeless[0], names, list(left), where)
    for port in ports:
        _check_count(port, chosen[port.name], where)
    return chosen


def gather(program: ModelProgram, choice: Choice, column: Callable[[str], Array]) -> dict[str, Array]:
    """The columns of each port side by side: (N, *shape), or (N,) for a scalar."""
    arrays = {}
    for port in program.inputs + program.targets:
        columns = [column(name) for name in choice[port.name]]
        arrays[port.name] = columns[0] if not port.type.shape else np.stack(columns, axis=1)
    return arrays


def _own(port: Port, names: list[str], options: Options) -> tuple[str, ...]:
    if port.name in options.columns:
        return options.columns[port.name]
    if port.name in names:
        return (port.name,)
    numbered = tuple(f"{port.name}.{i}" for i in range(prod(port.type.shape)))
    return numbered if numbered[0] in names and all(name in names for name in numbered) else ()


def _check_options(ports: tuple[Port, ...], names: list[str], options: Options, where: str) -> None:
    for name, columns in options.columns.items():
        if name not in {port.name for port in ports}:
            raise DataError(f"--columns gives columns to {name}, but the model has {listed([p.name for p in ports])}")
        for column in columns:
            if column not in names:
                near = nearest(column, names, limit=1)
                hint = f"; did you mean {near[0]}?" if near else f". It has {listed(names)}"
                raise DataError(f"{where} has no column {column}{hint}")


def _check_count(port: Port, columns: tuple[str, ...], where: str) -> None:
    if len(columns) != port.type.size:
        raise DataError(
            f"{where}: {declared(port)} needs {port.type.size} columns, "
            f"{len(columns)} {'is' if len(columns) == 1 else 'are'} given ({listed(columns)})"
        )


def _missing(port: Port, names: list[str], left: list[str], where: str) -> DataError:
    size = port.type.size
    near = nearest(port.name, left, limit=1)
    ways = [f"a column {port.name}" if size == 1 else f"columns {port.name}.0 to {port.name}.{size - 1}"]
    ways.append(f"--columns {port.name}={near[0] if near and size == 1 else 'a,b,c' if size > 1 else 'a'}")
    return DataError(
        f"{where} has nothing for {declared(port)}: it wants {' or '.join(ways)}. The columns are {listed(names)}"
        + ("" if len(left) == len(names) else f"; {listed(left)} would be free")
    )
