"""Reading model files, and showing what is wrong with them. Nothing here imports NumPy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import FINDINGS, CliError, Console
from kdsl.diagnostics.suggest import nearest
from kdsl.source import SIZE_LIMIT, Source, decode
from kdsl.source import read as read_file

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic
    from kdsl.elaborate.program import ModelProgram

UNREADABLE = "E150"  # there is no such file, or it cannot be opened


def read(name: str, stdin_name: str = "<stdin>") -> Source | Diagnostic:
    """The source of a file, or of standard input for `-`, or what makes it no text; CliError where nothing is read."""
    if name == "-":
        return decode(stdin_name, sys.stdin.buffer.read(SIZE_LIMIT + 1))
    source = read_file(name)
    if not isinstance(source, Source) and source.code == UNREADABLE:
        raise CliError(name + source.message.removeprefix("this file"), _near(Path(name)))
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


def add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a parameter of the model, or a dim, another value; may be repeated",
    )


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


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """As they stand in the text, imported files behind the one that imports them, what is wrong with `--set` last."""
    found = tuple(diagnostics)
    files = {source: number for number, source in enumerate(dict.fromkeys(each.span.source for each in found))}
    return tuple(sorted(found, key=lambda d: (d.span.source.name == "--set", files[d.span.source], d.span.start)))


def show(name: str, diagnostics: Sequence[Diagnostic], console: Console) -> None:
    """Warnings are shown; errors are shown too, and end the command with exit code 1."""
    from kdsl.diagnostics.text import render_text

    ordered = in_order(diagnostics)
    if ordered:
        console.err.write(render_text(ordered, colour=console.err_color) + "\n")
    first = next((found for found in ordered if found.severity == "error"), None)
    if first is not None:
        raise CliError(f"{name} has {counted(ordered)}", f"kdsl explain {first.code} says more", FINDINGS)


def checked(
    source: Source | Diagnostic, given: Mapping[str, str], rules: frozenset[str] | None = None
) -> tuple[tuple[ModelProgram, ...], tuple[Diagnostic, ...]]:
    """The models of a file, as far as they could be made, and what is wrong with it. `rules`: codes of lint's; None for
    those that are on by themselves."""
    if not isinstance(source, Source):
        return (), (source,)
    from kdsl.elaborate import elaborate
    from kdsl.lint import DEFAULT, lint
    from kdsl.syntax import parse

    parsed = parse(source)
    elaborated = elaborate(parsed.tree, given)
    warnings = lint(parsed.tree, elaborated, DEFAULT if rules is None else rules) if not parsed.diagnostics else ()
    return elaborated.models, in_order(parsed.diagnostics + elaborated.diagnostics + warnings)


def source_of(name: str, console: Console) -> Source:
    """The source of a file that must be readable."""
    source = read(name)
    if not isinstance(source, Source):
        show(name, [source], console)
        raise AssertionError("what makes a file unreadable is an error")
    return source


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="which model, if the file has several")


def one_of(programs: Sequence[ModelProgram], wanted: str | None, name: str) -> ModelProgram:
    """The file's model, or of several the one that `--model` names."""
    names = [program.name for program in programs]
    if not names:
        raise no_model(name)
    if wanted is None and len(names) > 1:
        raise CliError(f"{name} has {len(names)} models", f"choose one with --model: {', '.join(names)}")
    if wanted is not None and wanted not in names:
        raise unknown(f"{name} has no model {wanted}", wanted, names)
    return programs[names.index(wanted or names[0])]


def no_model(name: str) -> CliError:
    return CliError(f"{name} has no model in it", "kdsl new writes a file with one, to start from", FINDINGS)


def unknown(message: str, name: str, known: Sequence[str]) -> CliError:
    near = nearest(name, known, limit=1)
    return CliError(message, f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}")
