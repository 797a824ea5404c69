"""Read and write the parity fixtures: one `.npz` per group, which holds arrays and their settings.

A file's member `settings` is a JSON text, `{"keras": version, "cases": {case: settings, ...}}`; every other member is an
array called `case/array`. Files are written without time stamps, so the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Case:
    """One experiment that Keras ran: what was set, and every array that went in or came out."""

    name: str
    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __getitem__(self, array: str) -> np.ndarray:
        return self.arrays[array]

    def numbered(self, prefix: str) -> list[np.ndarray]:
        """The arrays `prefix0`, `prefix1`, ... in order."""
        found = []
        while f"{prefix}{len(found)}" in self.arrays:
            found.append(self.arrays[f"{prefix}{len(found)}"])
        return found


def write(group: str, cases: list[Case], versions: dict[str, str], folder: Path = FOLDER) -> Path:
    """Write one group of cases to `folder/group.npz`."""
    path = folder / f"{group}.npz"
    settings = {**versions, "cases": {case.name: case.settings for case in cases}}
    members = {"settings": np.array(json.dumps(settings, indent=1))}
    for case in cases:
        members.update({f"{case.name}/{name}": np.asarray(array) for name, array in case.arrays.items()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in members.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())
    return path


def read(group: str, folder: Path = FOLDER) -> list[Case]:
    """Every case of one group, in the order in which they were written."""
    with np.load(folder / f"{group}.npz", allow_pickle=False) as archive:
        settings = json.loads(str(archive["settings"]))
        arrays: dict[str, dict[str, np.ndarray]] = {name: {} for name in settings["cases"]}
        for member in archive.files:
            if member != "settings":
                case, _, name = member.partition("/")
                arrays[case][name] = archive[member]
    return [Case(name, settings["cases"][name], arrays[name]) for name in settings["cases"]]
