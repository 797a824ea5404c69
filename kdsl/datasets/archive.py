"""An `.npz` file: arrays named after the model's inputs and targets.

`test_image` and `test_label` beside `image` and `label` are the test part. A model of one input and one target also
takes the names of Keras's archives: `x_train`, `y_train`, `x_test`, `y_test`, or `x` and `y`.
Pickled objects are never loaded.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, Split, listed
from kdsl.datasets.ports import declared, split
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.program import ModelProgram, Port

USUAL = {"train": (("x_train", "x", "X"), ("y_train", "y", "Y")), "test": (("x_test",), ("y_test",))}


def load(path: Path, program: ModelProgram, options: Options) -> DataSet:
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path} is no .npz archive, or a damaged one") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path} holds a single array; an .npz archive has one for each input and target")
    with archive:
        ports = program.inputs + program.targets
        train = {port.name: _find(program, port, archive.files, "train") for port in ports}
        test = {port.name: _find(program, port, archive.files, "test") for port in ports}
        for port in ports:
            if train[port.name] is None:
                raise _missing(path, port, archive, [key for key in train.values() if key])
        has_test = any(test.values())
        for port in ports:
            if has_test and test[port.name] is None:
                some = ", ".join(key for key in test.values() if key)
                raise DataError(f"{path} has {some} but no test_{port.name} for {declared(port)}")
        used = {*train.values(), *test.values()}
        return DataSet(
            _part(path, program, archive, train, options, str(path)),
            _part(path, program, archive, test, options, f"{path} (test part)") if has_test else None,
            tuple(name for name in archive.files if name not in used),
        )


def _part(
    path: Path,
    program: ModelProgram,
    archive: np.lib.npyio.NpzFile,
    keys: dict[str, str | None],
    options: Options,
    where: str,
) -> Split:
    arrays = {name: _read(path, archive, key) for name, key in keys.items() if key}
    return split(program, arrays, options, where)


def _find(program: ModelProgram, port: Port, files: list[str], part: str) -> str | None:
    """The array's name in the archive for this port and part."""
    own = port.name if part == "train" else f"test_{port.name}"
    if own in files:
        return own
    if len(program.inputs) != 1 or len(program.targets) != 1:
        return None
    names = USUAL[part][0 if port in program.inputs else 1]
    return next((name for name in names if name in files), None)


def _read(path: Path, archive: np.lib.npyio.NpzFile, key: str) -> Array:
    try:
        return np.asarray(archive[key])
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickle" in str(error).lower():
            raise DataError(
                f"{path}: {key} holds Python objects, not numbers; save it as a plain array of one dtype"
            ) from error
        raise DataError(f"{path}: {key} is damaged: {error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path}: {key} is damaged: {error or 'it ends too early'}") from error


def _missing(path: Path, port: Port, archive: np.lib.npyio.NpzFile, taken: list[str]) -> DataError:
    free = [name for name in archive.files if name not in taken and not name.startswith("test_")]
    near = nearest(port.name, free, limit=1)
    hint = f"; is {near[0]} meant? Arrays are matched by name" if near else ""
    has = listed([f"{name} {_described(path, archive, name)}" for name in free])
    return DataError(f"{path} has no array for {declared(port)}. It has {has}, which fits no input or target{hint}")


def _described(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> str:
    try:
        array = _read(path, archive, name)
    except DataError:
        return "(unreadable)"
    return f"{array.dtype}{list(array.shape)}"
