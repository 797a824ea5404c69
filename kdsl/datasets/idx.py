"""A folder of idx files, the format of MNIST and its successors, gzipped or not.

`train-images-idx3-ubyte[.gz]` with `train-labels-idx1-ubyte[.gz]` is the training part, `t10k-...` or `test-...` the
test part. The middle word names an input or target (`train-image-...`, or its plural); where none has that name,
images go to a model's only input and labels to its only target.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, Split, listed
from kdsl.datasets.ports import declared, split
from kdsl.elaborate.program import ModelProgram, Port

NAME = re.compile(r"(?P<part>train|t10k|test)[-_.](?P<what>\w+?)[-_.]idx\d-\w+(?P<gz>\.gz)?")
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


def load(folder: Path, program: ModelProgram, options: Options) -> DataSet:
    found: dict[str, dict[str, Path]] = {"train": {}, "test": {}}
    for path in sorted(folder.iterdir(), reverse=True):  # reversed: a plain file replaces its .gz
        match = NAME.fullmatch(path.name)
        if match:
            found["train" if match["part"] == "train" else "test"][match["what"]] = path
    if not found["train"] and not found["test"]:
        names = [path.name for path in sorted(folder.iterdir())]
        raise DataError(
            f"{folder} has no idx files such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz; "
            f"it has {listed(names)}. A folder of another kind is named with its kind: cifar10:{folder}, images:{folder}"
        )
    if not found["train"]:
        raise DataError(f"{folder} has test files but no train-... files")
    train = _part(folder, program, found["train"], options)
    test = _part(folder, program, found["test"], options) if found["test"] else None
    return DataSet(train, test, _unused(program, found["train"]))


def read(path: Path) -> Array:
    """One idx file -> its array; every byte of it accounted for."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except DAMAGED as error:
        raise DataError(f"{path} is damaged: {error or 'it ends too early'}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in TYPES:
        raise DataError(f"{path} is no idx file: it starts with {data[:4].hex(' ') or 'nothing'}")
    rank, dtype = data[3], np.dtype(TYPES[data[2]])
    start = 4 + 4 * rank
    if rank == 0 or len(data) < start:
        raise DataError(f"{path} is damaged: its header is cut off")
    shape = tuple(int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(rank))
    wanted, given = math.prod(shape) * dtype.itemsize, len(data) - start
    if wanted != given:
        raise DataError(
            f"{path} is damaged: its header announces {' x '.join(map(str, shape))} values = {wanted:,} bytes, "
            f"{given:,} follow"
        )
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _part(folder: Path, program: ModelProgram, files: dict[str, Path], options: Options) -> Split:
    chosen = {port.name: _file(folder, program, port, files) for port in program.inputs + program.targets}
    return split(program, {name: read(path) for name, path in chosen.items()}, options, str(folder))


def _file(folder: Path, program: ModelProgram, port: Port, files: dict[str, Path]) -> Path:
    own = _key(program, port, files)
    if own is not None:
        return files[own]
    names = listed([path.name for path in files.values()])
    raise DataError(f"{folder} has no file for {declared(port)}: of {names}, none is called after it")


def _key(program: ModelProgram, port: Port, files: dict[str, Path]) -> str | None:
    """The word in the file names that means this port."""
    for word in (port.name, f"{port.name}s"):
        if word in files:
            return word
    role, word = (program.inputs, "images") if port in program.inputs else (program.targets, "labels")
    return word if len(role) == 1 and word in files else None


def _unused(program: ModelProgram, files: dict[str, Path]) -> tuple[str, ...]:
    used = {_key(program, port, files) for port in program.inputs + program.targets}
    return tuple(path.name for word, path in files.items() if word not in used)
