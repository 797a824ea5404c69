"""Data in the formats people have it: `load` turns a data spec into arrays for a model's inputs and targets."""

from __future__ import annotations

from pathlib import Path

from kdsl.datasets import archive, bundled, cifar, csv_file, idx, images
from kdsl.datasets.dataset import DataError, DataSet, Options, Split
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.program import ModelProgram

__all__ = ["DataError", "DataSet", "Options", "Split", "load"]

FORMATS = (
    "a folder of idx files, an .npz archive, a .csv file with a header, cifar10:DIR, cifar100:DIR, images:DIR, "
    "or sklearn:NAME"
)


def load(spec: str, program: ModelProgram, options: Options | None = None) -> DataSet:
    """The data that `spec` names, for this model.

    spec     a folder of idx files, an `.npz` archive, a `.csv` file with a header, or a word and what it says more of:
             `cifar10:DIR`, `cifar100:DIR[:fine|coarse]`, `images:DIR[:resize]`, `sklearn:digits`
    options  how to read it; default: by the names of the model's inputs and targets

    Raises DataError, which names the file, where it cannot be read or does not fit the model.
    """
    options = options or Options()
    if spec.startswith("sklearn:"):
        return bundled.load(spec.removeprefix("sklearn:"), program, options)
    word, _, rest = spec.partition(":")
    path = Path(spec)
    try:
        if word in cifar.KINDS and rest:
            return cifar.load(word, rest, program, options)
        if word == "images" and rest:
            return images.load(rest, program, options)
        if path.is_dir():
            return idx.load(path, program, options)
        if not path.exists():
            raise DataError(f"there is no file or folder {spec}{_near(path)}")
        if path.suffix.lower() == ".npz":
            return archive.load(path, program, options)
        if path.suffix.lower() in (".csv", ".tsv"):
            return csv_file.load(path, program, options)
    except OSError as error:
        raise DataError(f"{error.filename or spec} cannot be read: {error.strerror or error}") from error
    raise DataError(f"{spec} is of no kind that kdsl reads; data is {FORMATS}")


def _near(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:
        return ""
    near = nearest(path.name, names, limit=1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""
