"""A `.csv` file with a header: one row a sample, separated by commas, semicolons or tabs.

Only the columns that a model reads need hold numbers. `true` and `false` count as 1 and 0. Missing values and text are
refused with the line they stand in: what to put there is the user's decision.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from kdsl.datasets.dataset import Array, DataError, DataSet, Options, listed
from kdsl.datasets.ports import split
from kdsl.datasets.table import choose, gather
from kdsl.elaborate.program import ModelProgram

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
WORDS = {"true": "1", "false": "0"}


def load(path: Path, program: ModelProgram, options: Options) -> DataSet:
    header, rows, lines = _read(path)
    choice = choose(program, header, options, str(path))
    used = [name for columns in choice.values() for name in columns]

    def column(name: str) -> Array:
        position = header.index(name)
        return _numbers([row[position].strip() for row in rows], lines, name, path)

    part = split(program, gather(program, choice, column), options, str(path))
    return DataSet(part, None, tuple(name for name in header if name not in used))


def _read(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """(header, rows, the line each row starts in)."""
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count), skipinitialspace=True, strict=True)
            header = [name.strip() for name in next(reader, [])]
            before = reader.line_num
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(before + 1)
                before = reader.line_num
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no csv file in UTF-8: {error}") from error
    _check(path, header, rows, lines)
    return header, rows, lines


def _check(path: Path, header: list[str], rows: list[list[str]], lines: list[int]) -> None:
    if not header:
        raise DataError(f"{path} is empty; a csv file starts with the names of its columns")
    if all(_is_number(name) for name in header):
        raise DataError(f"{path} has no header: its first line is {listed(header, 4)}. Put the columns' names there")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} has two columns called {twice or '(nothing)'}")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise DataError(f"{path}:{line} has {len(row)} values, the header names {len(header)} columns")
    if not rows:
        raise DataError(f"{path} has a header and no rows")


def _numbers(texts: list[str], lines: list[int], name: str, path: Path) -> Array:
    try:
        numbers = np.array(texts, dtype=np.float64)
    except ValueError:
        numbers = None
    if numbers is not None and not np.isnan(numbers).any():
        return numbers
    _check_missing(texts, lines, name, path)
    texts = [WORDS.get(text.lower(), text) for text in texts]
    for text, line in zip(texts, lines, strict=True):
        if not _is_number(text):
            kinds = list(dict.fromkeys(texts))
            raise DataError(
                f"{path}:{line}: the column {name} holds text ({text!r}), and a model reads numbers. "
                f"It has {len(kinds)} different values: {listed(kinds, 6)}; write 0, 1, 2 ... in their place"
            )
    return np.array(texts, dtype=np.float64)


def _check_missing(texts: list[str], lines: list[int], name: str, path: Path) -> None:
    missing = [line for text, line in zip(texts, lines, strict=True) if text.lower() in MISSING]
    if missing:
        raise DataError(
            f"{path}:{missing[0]}: the column {name} has {len(missing):,} missing "
            f"value{'s' if len(missing) > 1 else ''} in {len(texts):,} rows; fill them in or drop those rows"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
