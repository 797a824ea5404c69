"""Where `grammar/`, `templates/` and `library/` are: inside the package in an installed wheel, the first two beside it in a
checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable

HERE = Path(__file__).resolve().parent


def folder(kind: str) -> Traversable:
    """The folder `grammar`, `templates` or `library`, wherever this copy of kdsl keeps it."""
    for place in (HERE / kind, HERE.parent / kind):
        if place.is_dir():
            return place
    from importlib import resources  # slow to import, and needed only where kdsl runs from a zip file

    zipped = resources.files("kdsl").joinpath(kind)
    if zipped.is_dir():
        return zipped
    raise FileNotFoundError(f"this installation of kdsl lacks its {kind}/ folder; install it again")


def read_text(kind: str, name: str) -> str:
    """The text of a file of `kind`; `name` may have folders (`kernels/dense.py.j2`)."""
    place = folder(kind)
    for part in name.split("/"):  # one at a time: MultiplexedPath.joinpath takes a single part on Python 3.11
        place = place.joinpath(part)
    return str(place.read_text(encoding="utf-8"))
