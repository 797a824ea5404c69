"""CIFAR-10 and CIFAR-100, as published: the binary and the python version, unpacked or as archives, gzipped or not.

A record of the binary version is one label byte (CIFAR-100: the coarse, then the fine one) and 3072 bytes of an image: its red,
green and blue plane. The python version has the same numbers as pickled arrays. Images become `u8[32, 32, 3]`.
Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, Split, listed
from kdsl.datasets.files import Found, in_archive, in_folder, is_archive
from kdsl.datasets.plain_pickle import NotPlain, loads
from kdsl.datasets.ports import declared, split
from kdsl.elaborate.program import ModelProgram

PIXELS = 32 * 32 * 3


@dataclass(frozen=True)
class Kind:
    """One of the two data sets.

    labels    name -> number of classes, in the order of a binary record
    training, testing   patterns of the files' names
    archive   what its archives and unpacked folders are called
    rows      of a published file, which then has a known checksum
    """

    name: str
    labels: dict[str, int]
    training: str
    testing: str
    archive: str
    rows: tuple[int, ...]


KINDS = {
    "cifar10": Kind("cifar10", {"label": 10}, r"data_batch_\d+", "test_batch", "cifar-10", (10_000,)),
    "cifar100": Kind("cifar100", {"coarse": 20, "fine": 100}, "train", "test", "cifar-100", (50_000, 10_000)),
}

# MD5 of the published files, by the name of the data set and the file.
CHECKSUMS = {
    ("cifar10", "data_batch_1.bin"): "5dd7e06a14cb22eb9f671a540d1b7c25",
    ("cifar10", "data_batch_2.bin"): "5ea93a67294ea407fff1d09f752e9692",
    ("cifar10", "data_batch_3.bin"): "942cd6a4bcdd0dd3c604fbe906cb4421",
    ("cifar10", "data_batch_4.bin"): "ae636b3ba5c66a11e91e8cb52e771fcb",
    ("cifar10", "data_batch_5.bin"): "53f37980c15c3d472c316c40844f3f0d",
    ("cifar10", "test_batch.bin"): "803d5f7f4d78ea53de84dbe85f74fb6d",
    ("cifar10", "data_batch_1"): "c99cafc152244af753f735de768cd75f",
    ("cifar10", "data_batch_2"): "d4bba439e000b95fd0a9bffe97cbabec",
    ("cifar10", "data_batch_3"): "54ebc095f3ab1f0389bbae665268c751",
    ("cifar10", "data_batch_4"): "634d18415352ddfa80567beed471001a",
    ("cifar10", "data_batch_5"): "482c414d41f54cd18b22e5b47cb7c3cb",
    ("cifar10", "test_batch"): "40351d587109b95175f43aff81a1287e",
    ("cifar100", "train"): "16019d7e3df5f24257cddd939b257f8d",
    ("cifar100", "test"): "f0ef6b0ae62326f3e7ffdfab6717acfc",
}


@dataclass(frozen=True)
class Part:
    """Images as u8[rows, 32, 32, 3], and their labels by name."""

    images: Array
    labels: dict[str, Array]


def load(name: str, text: str, program: ModelProgram, options: Options) -> DataSet:
    """`cifar10:DIR` or `cifar100:DIR[:fine|coarse]`, where DIR is a folder or one of the archives."""
    kind = KINDS[name]
    place, wanted = _labels_wanted(kind, text)
    ports = _ports(kind, program, wanted)
    path = Path(place)
    training, testing = _files(kind, path)
    train = _part(kind, training)
    test = _part(kind, testing) if testing else None
    return DataSet(
        _split(program, train, ports, options, place),
        None if test is None else _split(program, test, ports, options, f"{place} (test part)"),
    )


def _labels_wanted(kind: Kind, text: str) -> tuple[str, str]:
    """The folder, and which labels: the last of them unless it is said."""
    place, colon, word = text.rpartition(":")
    if len(kind.labels) > 1 and colon and word in kind.labels:
        return place, word
    if not text:
        raise DataError(f"{kind.name}: names no folder; write {kind.name}:DIR")
    if colon and len(kind.labels) > 1 and not Path(text).exists() and Path(place).exists():
        raise DataError(f"{kind.name}:{text} asks for the labels {word}; there are {' and '.join(kind.labels)} ones")
    return text, list(kind.labels)[-1]


def _ports(kind: Kind, program: ModelProgram, wanted: str) -> dict[str, str]:
    """Target -> the labels it takes: its own name's, or for a model's only target those that were asked for."""
    if len(program.inputs) != 1:
        raise DataError(f"{kind.name} has images for one input, the model {program.name} has {len(program.inputs)}")
    if len(program.targets) == 1:
        target = program.targets[0]
        return {target.name: target.name if target.name in kind.labels and len(kind.labels) > 1 else wanted}
    for target in program.targets:
        if target.name not in kind.labels:
            raise DataError(f"{kind.name} has nothing for {declared(target)}: its labels are {listed([*kind.labels])}")
    return {target.name: target.name for target in program.targets}


def _split(program: ModelProgram, part: Part, ports: dict[str, str], options: Options, where: str) -> Split:
    arrays = {program.inputs[0].name: part.images, **{port: part.labels[name] for port, name in ports.items()}}
    return split(program, arrays, options, where)


# -- files -----------------------------------------------------------------------------------------------------------


def _files(kind: Kind, path: Path) -> tuple[list[tuple[str, Found]], list[tuple[str, Found]]]:
    """Files of the training and of the test part, (name, file) each, from the first place that has any."""
    if not path.exists():
        raise DataError(f"there is no file or folder {path}")
    for found in _places(kind, path):
        for ending in (r"\.bin", ""):
            chosen = [_matching(found, pattern, ending) for pattern in (kind.training, kind.testing)]
            if chosen[0]:
                return chosen[0], chosen[1]
            if chosen[1]:
                raise DataError(f"{path} has a test part of {kind.name} but no training part")
    here = listed(sorted(other.name for other in path.iterdir())) if path.is_dir() else "other files"
    example = "data_batch_1.bin or data_batch_1" if kind.name == "cifar10" else "train.bin or train"
    raise DataError(f"{path} has no files of {kind.name} such as {example}, nor an archive of them; it has {here}")


def _places(kind: Kind, path: Path) -> Iterable[dict[str, Found]]:
    """Where the files may lie: here, in the folder that unpacking makes, in an archive."""
    if not path.is_dir():
        yield in_archive(path)
        return
    yield in_folder(path)
    inside = sorted(other for other in path.iterdir() if other.name.startswith(f"{kind.archive}-"))
    for other in inside:
        if other.is_dir():
            yield in_folder(other)
    for other in inside:
        if other.is_file() and is_archive(other):
            yield in_archive(other)


def _matching(found: dict[str, Found], pattern: str, ending: str) -> list[tuple[str, Found]]:
    """The files with exactly these names, or else cuts of them, as in `test_batch_first1000.bin`."""
    exact = [name for name in found if re.fullmatch(pattern + ending, name)]
    names = exact or [name for name in found if re.fullmatch(rf"{pattern}_\w+{ending}", name)]
    return [(name, found[name]) for name in sorted(names, key=_in_order)]


def _in_order(name: str) -> tuple[int, str]:
    """`data_batch_10` behind `data_batch_9`."""
    number = re.search(r"\d+", name)
    return int(number[0]) if number else 0, name


def _part(kind: Kind, files: list[tuple[str, Found]]) -> Part:
    parts = [_read(kind, name, file) for name, file in files]
    images = parts[0].images if len(parts) == 1 else np.concatenate([part.images for part in parts])
    return Part(images, {name: np.concatenate([part.labels[name] for part in parts]) for name in kind.labels})


def _read(kind: Kind, name: str, file: Found) -> Part:
    data = file.read()
    planes, labels = (_binary if name.endswith(".bin") else _pickled)(kind, data, file.where)
    published = CHECKSUMS.get((kind.name, name))
    given = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if published and len(planes) in kind.rows and given != published:
        raise DataError(f"{file.where} is damaged or changed: its MD5 is {given}, the published file's is {published}")
    for which, classes in kind.labels.items():
        wrong = np.flatnonzero((labels[which] < 0) | (labels[which] >= classes))
        if len(wrong):
            raise DataError(
                f"{file.where} is damaged: image {wrong[0]} has the {_noun(which)} {labels[which][wrong[0]]}, "
                f"they lie in 0 to {classes - 1}"
            )
    images = np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return Part(images, labels)


def _noun(which: str) -> str:
    return which if which == "label" else f"{which} label"


def _binary(kind: Kind, data: bytes, where: str) -> tuple[Array, dict[str, Array]]:
    record = len(kind.labels) + PIXELS
    if not data or len(data) % record:
        raise DataError(
            f"{where} is damaged: {len(data):,} bytes are no whole number of images, which have {record:,} each"
        )
    table = np.frombuffer(data, np.uint8).reshape(-1, record)
    labels = {name: table[:, place].astype(np.int32) for place, name in enumerate(kind.labels)}
    return table[:, len(kind.labels) :], labels


def _pickled(kind: Kind, data: bytes, where: str) -> tuple[Array, dict[str, Array]]:
    try:
        held = loads(data)
    except NotPlain as error:
        raise DataError(f"{where} holds more than arrays, lists and texts: {error}; it is not read") from error
    except ValueError as error:
        raise DataError(f"{where} is damaged, or no pickle: {error}") from error
    if not isinstance(held, dict):
        raise DataError(f"{where} is no batch of {kind.name}: it holds no dict")
    named = {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in held.items()}
    images = named.get("data")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (PIXELS,):
        raise DataError(
            f"{where} is no batch of {kind.name}: its `data` is no array of bytes of shape (images, {PIXELS})"
        )
    return images, {name: _list_of_labels(named, name, len(images), where) for name in kind.labels}


def _list_of_labels(named: dict[str, object], name: str, rows: int, where: str) -> Array:
    key = "labels" if name == "label" else f"{name}_labels"
    try:
        labels = np.asarray(named[key])
    except (KeyError, ValueError) as error:
        raise DataError(f"{where} has no list `{key}`") from error
    if labels.dtype.kind not in "iu" or labels.shape != (rows,):
        raise DataError(f"{where} has {rows:,} images, its `{key}` are not as many whole numbers")
    return labels.astype(np.int64)
