"""Check model files: syntax, names, shapes, settings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import FINDINGS, OK, USAGE, CliError, Console
from kdsl.cli.models import add_settings, checked, counted, read, settings

if TYPE_CHECKING:
    from kdsl.diagnostics.diagnostic import Diagnostic

EXAMPLES = """\
  kdsl lint digits.kmodel
  kdsl lint models/                                     every .kmodel file in it
  kdsl lint models/ --output json                       for programs
  kdsl lint - --stdin-filename a.kmodel < a.kmodel      for editors
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="model files, folders of them, or - for standard input"
    )
    parser.add_argument(
        "--output", choices=["full", "concise", "json"], default="full", help="the form of the findings (default: full)"
    )
    add_settings(parser)
    parser.add_argument("--stdin-filename", metavar="NAME", default="<stdin>", help="what messages call standard input")


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit code 0 where nothing was found, 1 where something was, 2 where a file could not be read."""
    found: list[Diagnostic] = []
    unread, read_files = 0, 0
    given = settings(options.set)
    for name in _files(options.files):
        try:
            source = read(name, options.stdin_filename)
        except CliError as error:
            console.error(error.message, error.help)
            unread += 1
            continue
        found += checked(source, given)[1]
        read_files += 1
    _report(found, read_files, options.output, console)
    return USAGE if unread else FINDINGS if found else OK


def _files(names: list[str]) -> list[str]:
    """Folders replaced by the models in them."""
    files: list[str] = []
    for name in names:
        inside = sorted(str(path) for path in Path(name).rglob("*.kmodel")) if Path(name).is_dir() else [name]
        if not inside:
            raise CliError(f"the folder {name} has no .kmodel file in it")
        files += inside
    return list(dict.fromkeys(files))


def _report(found: list[Diagnostic], files: int, form: str, console: Console) -> None:
    if form == "json":
        from kdsl.diagnostics.json import render_json

        console.out.write(render_json(found))
    elif form == "concise":
        from kdsl.diagnostics.concise import render_concise

        console.out.write(render_concise(found))
    elif found:
        from kdsl.diagnostics.text import render_text

        console.out.write(render_text(found, colour=console.out_color))
        console.print(f"\n{counted(found)}. `kdsl explain {found[0].code}` says more about the first.")
    elif files:
        console.done("No problems found." if files == 1 else f"No problems found in {files} files.")
