"""Folders of images: one folder for each class, whose names in alphabetical order are the classes 0, 1, 2 ...

`DIR/cat/1.png` alone, or `DIR/train/cat/1.png` with a test part in `DIR/test` or `DIR/val`. PNG and JPEG are read by Pillow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, Split, listed
from kdsl.datasets.ports import declared, split
from kdsl.elaborate.program import ModelProgram, Port

KINDS = ("PNG", "JPEG")
ENDINGS = (".png", ".jpg", ".jpeg")
TEST = ("test", "val", "validation")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
RESIZE = ":resize"
Files = list[tuple[Path, int]]  # images with their classes


def load(text: str, program: ModelProgram, options: Options) -> DataSet:
    """`images:DIR`, or `images:DIR:resize` to bring images of any size to the model's."""
    place, resize = text.removesuffix(RESIZE), text.endswith(RESIZE)
    folder = Path(place)
    if not place or not folder.is_dir():
        raise DataError(f"images: there is no folder {place or '(nothing)'}; write images:DIR")
    image, label = _ports(program)
    has_parts = (folder / "train").is_dir()
    root = folder / "train" if has_parts else folder
    tests = [folder / name for name in TEST if has_parts and (folder / name).is_dir()]
    classes = _classes(root, label)
    others: list[str] = [str(path.relative_to(folder)) for path in tests[1:]]
    train = _part(root, classes, others)
    test = _part(tests[0], classes, others) if tests else None
    return DataSet(
        _split(program, image, label, train, resize, options, str(root)),
        None if test is None else _split(program, image, label, test, resize, options, str(tests[0])),
        tuple(others),
    )


def _ports(program: ModelProgram) -> tuple[Port, Port]:
    if len(program.inputs) != 1 or len(program.targets) != 1:
        raise DataError(
            f"folders of images are for one input and one target, the model {program.name} has "
            f"{len(program.inputs)} and {len(program.targets)}"
        )
    image, label = program.inputs[0], program.targets[0]
    shape = image.type.shape
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in MODES):
        raise DataError(
            f"images have the shape [height, width] or [height, width, 1, 3 or 4]; the model has {declared(image)}"
        )
    if label.type.dtype not in ("index", "bool"):
        raise DataError(f"classes are for an `index` or `bool` target; the model has {declared(label)}")
    return image, label


def _classes(root: Path, label: Port) -> list[str]:
    """The names of the class folders, as many as the target has classes."""
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    wanted = label.type.classes if label.type.dtype == "index" else 2
    if len(names) != wanted:
        raise DataError(
            f"{root} has {len(names)} class folder{'' if len(names) == 1 else 's'} ({listed(names)}), "
            f"{declared(label)} has {wanted} classes"
        )
    return names


def _part(root: Path, classes: list[str], others: list[str]) -> Files:
    """Every image below the class folders, in the order of its name; the names of other files are added to `others`."""
    unknown = sorted(p.name for p in root.iterdir() if p.is_dir() and p.name not in classes and p.name[0] != ".")
    if unknown:
        raise DataError(f"{root / unknown[0]} is no class of the training part: those are {listed(classes)}")
    found: Files = []
    for number, name in enumerate(classes):
        for path in sorted((root / name).glob("**/*")) if (root / name).is_dir() else []:
            if path.suffix.lower() in ENDINGS:
                found.append((path, number))
            elif path.is_file() and not path.name.startswith("."):
                others.append(path.name)
        if root.name not in TEST and not (found and found[-1][1] == number):
            raise DataError(f"{root / name} has no images ({', '.join(ENDINGS)})")
    if not found:
        raise DataError(f"{root} has no images ({', '.join(ENDINGS)}) in the folders {listed(classes)}")
    return found


def _split(
    program: ModelProgram, image: Port, label: Port, files: Files, resize: bool, options: Options, where: str
) -> Split:
    arrays = {image.name: _read(files, image, resize), label.name: np.array([number for _, number in files])}
    return split(program, arrays, options, where)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError('images are read by Pillow: pip install "kdsl[images]", or pip install pillow') from error
    return Image


def _read(files: Files, port: Port, resize: bool) -> Array:
    """All images in the shape of the input."""
    library = _pillow()
    channels = port.type.shape[2:]
    made = np.empty((len(files), *port.type.shape), np.uint8)
    for row, (path, _) in enumerate(files):
        made[row] = _one(library, path, port, MODES[channels[0] if channels else 1], resize).reshape(made.shape[1:])
    return made


def _one(library: Any, path: Path, port: Port, mode: str, resize: bool) -> Array:
    height, width = port.type.shape[:2]
    try:
        with library.open(path, formats=KINDS) as opened:
            opened.verify()  # the checksums of a PNG file, which decoding passes over
        with library.open(path, formats=KINDS) as opened:
            if opened.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"):
                raise DataError(f"{path} has pixels of the kind {opened.mode}; 8 bits for each channel are read")
            if opened.size != (width, height):
                if not resize:
                    raise DataError(
                        f"{path} is {opened.size[1]} x {opened.size[0]} (height x width), wanted is {height} x {width} for "
                        f"{declared(port)}; `images:DIR:resize` brings all images to that size"
                    )
                opened = opened.convert(mode).resize((width, height), library.Resampling.BILINEAR)
            return np.asarray(opened.convert(mode))
    except (OSError, SyntaxError, ValueError, library.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as a PNG or JPEG image: {error}") from error
