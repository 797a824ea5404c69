"""The real data sets that scikit-learn carries: `sklearn:digits`, `iris`, `wine`, `breast_cancer`, `diabetes`.

A fifth of the rows, every class in its proportion, is the test part; which rows those are never changes. The columns
are scikit-learn's feature names in snake case, so that a model may read some by name; `digits` gives whole images.
"""

from __future__ import annotations

import re

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, listed
from kdsl.datasets.ports import declared, split
from kdsl.datasets.table import choose, gather
from kdsl.elaborate.program import ModelProgram

NAMES = ("digits", "iris", "wine", "breast_cancer", "diabetes")
TEST_SHARE = 0.2


def load(name: str, program: ModelProgram, options: Options) -> DataSet:
    if name not in NAMES:
        raise DataError(f"sklearn:{name} is not one of the data sets kdsl reads from scikit-learn: {listed(NAMES)}")
    try:
        from sklearn import datasets
    except ImportError as error:
        raise DataError(f"sklearn:{name} needs scikit-learn: pip install scikit-learn") from error
    bunch = getattr(datasets, f"load_{name}")()
    where = f"sklearn:{name}"
    features, labels = np.asarray(bunch.data), np.asarray(bunch.target)
    columns = [_snake(str(feature)) for feature in bunch.feature_names]
    arrays, unused = _arrays(program, columns, features, labels, options, where)
    test = test_rows(labels, stratified=name != "diabetes")
    return DataSet(
        split(program, {key: array[~test] for key, array in arrays.items()}, options, where),
        split(program, {key: array[test] for key, array in arrays.items()}, options, where),
        unused,
    )


def test_rows(labels: Array, stratified: bool) -> Array:
    """A mask of the rows held out for testing: a fifth of each class, drawn with a fixed seed."""
    generator = np.random.default_rng(0)
    groups = (
        [np.flatnonzero(labels == label) for label in np.unique(labels)] if stratified else [np.arange(len(labels))]
    )
    held = np.zeros(len(labels), dtype=bool)
    for rows in groups:
        held[generator.permutation(rows)[: round(TEST_SHARE * len(rows))]] = True
    return held


def _arrays(
    program: ModelProgram, columns: list[str], features: Array, labels: Array, options: Options, where: str
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Arrays by port, and the columns no port reads. One input as large as a row takes the row whole."""
    if len(program.targets) != 1:
        raise DataError(f"{where} has one target, the model {program.name} has {len(program.targets)}")
    target = program.targets[0].name
    if len(program.inputs) == 1 and not options.columns:
        only = program.inputs[0]
        if only.type.size == features.shape[1]:
            return {only.name: features, target: labels}, ()
        if only.name not in columns and f"{only.name}.0" not in columns:
            raise DataError(f"{where} has {features.shape[1]} numbers a row, which do not fit {declared(only)}")
    table = {**dict(zip(columns, features.T, strict=True)), target: labels}
    choice = choose(program, list(table), options, where)
    used = [column for chosen in choice.values() for column in chosen]
    return gather(program, choice, table.__getitem__), tuple(column for column in columns if column not in used)


def _snake(name: str) -> str:
    """`sepal length (cm)` -> `sepal_length`."""
    return re.sub(r"\W+", "_", re.sub(r"\(.*\)", "", name).strip()).strip("_").lower()
