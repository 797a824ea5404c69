"""Files of a folder or of a tar archive, alike: names, and bytes when they are asked for.

Nothing is unpacked. A member of an archive is read in memory, by the last part of its name, so it does not matter where the
archive says that it lies; links and whatever else is no plain file are passed over.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kdsl.datasets.dataset import DataError

LARGEST = 1 << 29  # bytes of one file; the largest of CIFAR has 184 million
PIECE = 1 << 20
DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)
ARCHIVES = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Found:
    """A file: `where` it is, for messages, and its bytes (unzipped)."""

    where: str
    read: Callable[[], bytes]


def in_folder(folder: Path) -> dict[str, Found]:
    """Its files by name. A name does not show `.gz`: a plain file replaces its gzipped copy."""
    found: dict[str, Found] = {}
    for path in sorted(folder.iterdir(), reverse=True):
        if path.is_file():
            found[path.name.removesuffix(".gz")] = Found(str(path), lambda path=path: _read(path))  # type: ignore[misc]
    return found


def in_archive(path: Path) -> dict[str, Found]:
    """The plain files of a tar archive, by the last part of their names; all are looked at, so damage is found now."""
    found: dict[str, Found] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if member.isfile() and member.size <= LARGEST:
                    name = PurePosixPath(member.name).name
                    data = archive.extractfile(member)
                    assert data is not None
                    found[name] = _member(f"{path}: {member.name}", data.read(), member.size)
            _to_the_end(archive)
    except DAMAGED as error:
        raise DataError(f"{path} is no tar archive, or a damaged one: {error or 'it ends too early'}") from error
    return found


def _to_the_end(archive: tarfile.TarFile) -> None:
    """Reads what is behind the last member: there stands the checksum of what was zipped."""
    assert archive.fileobj is not None
    for _ in range(LARGEST // PIECE):
        if not archive.fileobj.read(PIECE):
            return
    raise tarfile.ReadError("it goes on long after its last member")


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVES)


def _member(where: str, data: bytes, size: int) -> Found:
    if len(data) != size:
        raise DataError(f"{where} is damaged: it announces {size:,} bytes, {len(data):,} follow")
    return Found(where, lambda: data)


def _read(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except DAMAGED as error:
        raise DataError(f"{path} is damaged: {error or 'it ends too early'}") from error
    if len(data) > LARGEST:
        raise DataError(f"{path} has more than {LARGEST:,} bytes, which no file of such data has")
    return data
