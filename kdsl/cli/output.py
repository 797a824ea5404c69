"""Where a generated module may go, and how it gets there: names that would do harm refused, written atomically."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from kdsl.cli.console import CliError
from kdsl.diagnostics.suggest import nearest

# A module of these names beside a script would be imported in the place of the real one.
SHADOWED = frozenset(
    {"numpy", "numba", "llvmlite", "scipy", "pandas", "sklearn", "matplotlib", "jinja2", "lark", "kdsl", "pytest"}
)
PYTHONS = frozenset(name.lower() for name in sys.stdlib_module_names)
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})


def module_path(model: Path, output: str | None) -> Path:
    """Where the module of `model` goes: beside it, or where `-o` says (a file, or a folder that exists)."""
    if output is None:
        path = model.with_suffix(".py")
    elif Path(output).is_dir():
        path = Path(output) / f"{model.stem}.py"
    else:
        path = Path(output)
    check_name(path)
    if path.resolve() == model.resolve():
        raise CliError(f"{path} is the model itself")
    return path


def check_name(path: Path) -> None:
    """Raises CliError where a Python module of this name could not be imported, or would hide another."""
    stem = path.stem
    if path.suffix != ".py":
        raise CliError(f"a generated module is a Python file: {path} does not end in .py")
    if reason := unusable(stem):
        near = re.sub(r"\W", "_", stem, flags=re.ASCII)
        near = near if not unusable(near) else f"{near}_net" if not unusable(f"{near}_net") else "network"
        raise CliError(f"{path.name} cannot be the module's name: {reason}", f"choose another: -o {near}.py")


def unusable(stem: str) -> str:
    """Why a module may not have this name; empty where it may."""
    lower = stem.lower()
    if lower in DEVICES:
        return f"{stem} is a device on Windows"
    if keyword.iskeyword(stem):
        return f"{stem} is a word of Python's"
    if not (stem.isidentifier() and stem.isascii()):
        return f"import {stem} would not be Python"
    if lower in SHADOWED:
        return f"it would hide the package {lower} from every script in that folder"
    if lower in PYTHONS:
        return f"it would hide Python's own module {lower} from every script in that folder"
    return ""


def write(path: Path, text: str, force: bool) -> bool:
    """Write the module -> whether the file changed. A file that kdsl did not make is not kdsl's to replace."""
    from kdsl.compiler import MARKER  # every generated module says so near its top, with the version
    from kdsl.runtime.checkpoint import replacing

    try:
        path = path.resolve()  # a link stays a link, its target changes
        if path.is_dir():
            raise CliError(f"{path} is a folder")
        if not path.parent.is_dir():
            raise CliError(f"there is no folder {path.parent}{_near(path.parent)}")
        data = text.encode("utf-8")
        before = path.read_bytes() if path.exists() else None
        if before == data:
            return False
        if before is not None and not force and not re.search(rb"%s \d" % MARKER.encode(), before[:4096]):
            raise CliError(
                f"{path} was not made by kdsl, so it stays as it is", "choose another: -o NAME.py, or --force"
            )
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise CliError(f"{error.filename or path} cannot be written: {error.strerror or error}") from error
    return True


def _near(folder: Path) -> str:
    names = [other.name for other in folder.parent.iterdir()] if folder.parent.is_dir() else []
    near = nearest(folder.name, names, limit=1)
    return f"; did you mean {folder.parent / near[0]}?" if near else ""
