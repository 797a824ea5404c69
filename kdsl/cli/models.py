"""Reading model files, and showing what is wrong with them. Nothing here imports NumPy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import CliError, Console
from kdsl.diagnostics.suggest import nearest
from kdsl.source import SIZE_LIMIT, Source, decode
from kdsl.source import read as read_file

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic

UNREADABLE = "E150"  # there is no such file, or it cannot be opened


def read(name: str, stdin_name: str = "<stdin>") -> Source | Diagnostic:
    """The source of a file, or of standard input for `-`, or what makes it no text; CliError where nothing is read."""
    if name == "-":
        return decode(stdin_name, sys.stdin.buffer.read(SIZE_LIMIT + 1))
    source = read_file(name)
    if not isinstance(source, Source) and source.code == UNREADABLE:
        raise CliError(f"{name}: {source.message}", _near(Path(name)))
    return source


def _near(path: Path) -> str:
    if path.exists():
        return ""
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


def check(source: Source | Diagnostic) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, in the order of its text."""
    if not isinstance(source, Source):
        return (source,)
    from kdsl.syntax import parse

    return parse(source).diagnostics
