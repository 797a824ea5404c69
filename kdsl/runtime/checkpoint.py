"""Weight files: uncompressed .npz without pickle, written all or nothing, believed only after every header is checked.

Members: `kdsl/header` (JSON), one array for each weight under its name, `optimizer/SLOT/WEIGHT` for its states. NumPy
reads them too: `np.load(path)["logits.dense.kernel"]`. A file comes from strangers: nothing in it names code, sizes are
those of the model, and nothing is read before its size was compared.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kdsl.runtime.engine import Array

FORMAT = 1
HEADER = "kdsl/header"
OPTIMIZER = "optimizer/"
HEADER_BYTES = 1 << 20
NPY_HEADER_BYTES = 1 << 12
STALE_SECONDS = 3600.0


def write_weights(path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Writes the file beside its place and moves it there when it is whole and on the disk."""
    with replacing(Path(path)) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        members = {HEADER: np.array(json.dumps({"format": FORMAT, **header})), **arrays}
        for name, array in members.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: equal weights make equal files
            with archive.open(member, "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asarray(array, order="C"), allow_pickle=False)


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The header of a weight file; ValueError where the file is none."""
    with _opened(path) as archive:
        sizes = _sizes(archive)
        if f"{HEADER}.npy" not in sizes:
            raise ValueError(f"it has no member {HEADER}, so no kdsl module saved it")
        if sizes[f"{HEADER}.npy"] > HEADER_BYTES:
            raise ValueError(f"its header has {sizes[f'{HEADER}.npy']:,} bytes")
        array = _array(archive, HEADER, "U", ())
        header = json.loads(str(array))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}, the one this module reads")
        return header


def read_weights(
    path: str | os.PathLike[str], shapes: dict[str, tuple[int, ...]], scalar: str, ignore: str = ""
) -> dict[str, Array]:
    """The arrays named in `shapes`, each checked; members whose names begin with `ignore` may be there besides."""
    dtype = np.dtype(scalar)
    with _opened(path) as archive:
        sizes = _sizes(archive)
        found = {name.removesuffix(".npy") for name in sizes if not (ignore and name.startswith(ignore))} - {HEADER}
        missing, extra = sorted(shapes.keys() - found), sorted(found - shapes.keys())
        if missing or extra:
            raise ValueError(
                "; ".join(
                    f"{what} {_some(names)}"
                    for what, names in (("it lacks", missing), ("the model has no", extra))
                    if names
                )
            )
        for name, shape in shapes.items():
            nbytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
            if not nbytes < sizes[f"{name}.npy"] <= nbytes + NPY_HEADER_BYTES:
                raise ValueError(
                    f"{name} has {sizes[f'{name}.npy']:,} bytes, {scalar}{list(shape)} has {nbytes:,} and a short header"
                )
        return {name: _array(archive, name, dtype.str, shape) for name, shape in shapes.items()}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that becomes `path` when the block ends well, and vanishes when it does not."""
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")
    _remove_stale(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(beside, path.stat().st_mode & 0o777)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    if os.name == "posix":  # the new name is on the disk when the folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove_stale(path: Path) -> None:
    """Removes what writers that were killed left beside `path`: of processes that are gone, or older than an hour."""
    prefix = f".{path.name}."
    for entry in os.listdir(path.parent):
        if not (entry.startswith(prefix) and entry.endswith(".tmp")):
            continue
        process = entry[len(prefix) : -len(".tmp")].split("-")[0]
        with contextlib.suppress(OSError):
            old = time.time() - (path.parent / entry).stat().st_mtime > STALE_SECONDS
            if old or (process.isdecimal() and not _alive(int(process))):
                (path.parent / entry).unlink()


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever turns out to be wrong inside becomes one ValueError that names the file."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            yield archive
    except OSError:
        raise
    except (
        Exception
    ) as error:  # a damaged archive fails in many ways: BadZipFile, struct.error, NotImplementedError ...
        raise ValueError(f"{os.fspath(path)} is no weight file of this model: {error}") from error


def _sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    """Member -> bytes. Refused: compressed members (they may swell), encrypted ones, and one name twice."""
    sizes: dict[str, int] = {}
    for member in archive.infolist():
        if (
            member.compress_type != zipfile.ZIP_STORED
            or member.file_size != member.compress_size
            or member.flag_bits & 1
        ):
            raise ValueError(f"its member {member.filename!a} is compressed or encrypted")
        if member.filename in sizes:
            raise ValueError(f"it has two members {member.filename!a}")
        sizes[member.filename] = member.file_size
    return sizes


def _array(archive: zipfile.ZipFile, name: str, dtype: str, shape: tuple[int, ...]) -> Array:
    """One member, whose size was checked. `dtype`: as `np.dtype.str`, or the kind alone."""
    data = archive.read(f"{name}.npy")  # compares the checksum
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{name} is in NumPy's format {version}")
    given, fortran, actual = np.lib.format.read_array_header_1_0(file, max_header_size=NPY_HEADER_BYTES)
    if (given, fortran) != (shape, False):
        raise ValueError(f"{name} has the shape {given}, not {shape}")
    if dtype not in (actual.str, actual.kind) or actual.hasobject:
        raise ValueError(f"{name} is {actual}, not {dtype}")
    if len(data) - file.tell() != actual.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError(f"{name} has {len(data) - file.tell():,} bytes of values")
    return np.frombuffer(data, actual, offset=file.tell()).reshape(shape)


def _some(names: list[str]) -> str:
    return ", ".join(ascii(name)[1:-1] for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
