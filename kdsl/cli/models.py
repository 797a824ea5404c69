"""Reading model files, and showing what is wrong with them. Nothing here imports NumPy."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import CliError, Console
from kdsl.diagnostics.suggest import nearest
from kdsl.source import Source

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic

LARGEST = 4_000_000  # bytes; a model is a page or two


def read(name: str, stdin_name: str = "<stdin>") -> Source:
    """The source text of a file, or of standard input for `-`; raises CliError where there is none to be had."""
    if name == "-":
        return Source(stdin_name, _text(sys.stdin.buffer.read(LARGEST + 1), stdin_name))
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise CliError(f"{name} is a folder", "name a .kmodel file in it")
        if not stat.S_ISREG(status.st_mode):
            raise CliError(f"{name} is no regular file")
        with path.open("rb") as file:
            return Source(name, _text(file.read(LARGEST + 1), name))
    except FileNotFoundError as error:
        raise CliError(f"there is no file {name}", _near(path)) from error
    except (OSError, ValueError) as error:
        raise CliError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _text(data: bytes, name: str) -> str:
    if len(data) > LARGEST:
        raise CliError(f"{name} is larger than {LARGEST // 1_000_000} MB, which no model is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CliError(f"{name}:{line}: the file is not UTF-8", "save it as UTF-8 in your editor") from error


def _near(path: Path) -> str:
    try:
        others = [other for other in path.parent.iterdir() if other.suffix == ".kmodel"]
    except OSError:
        return f"there is no folder {path.parent}"
    near = nearest(path.name, [other.name for other in others], limit=1)
    return f"did you mean {path.parent / near[0]}?" if near else ""


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """`--set hidden=256` -> {"hidden": "256"}."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name.isidentifier() and equals and value):
            raise CliError(f"--set {pair} sets nothing", "write --set NAME=VALUE, as in --set hidden=256")
        if name in found:
            raise CliError(f"--set gives {name} twice")
        found[name] = value
    return found


def counted(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    counts = [(sum(d.severity == kind for d in diagnostics), kind) for kind in ("error", "warning")]
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for count, kind in counts if count)


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def show(diagnostics: Sequence[Diagnostic], console: Console) -> None:
    """For people, on standard error: what every command does with a model that is not right."""
    from kdsl.diagnostics.text import render_text

    if diagnostics:
        console.err.write(render_text(diagnostics, colour=console.err_color))
        console.err.write("\n")


def check(source: Source) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, in the order of its text."""
    from kdsl.syntax import parse

    return parse(source).diagnostics
