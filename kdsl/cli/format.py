"""Lay model files out in the one style. What cannot be read stays exactly as it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.console import FINDINGS, OK, USAGE, CliError, Console
from kdsl.cli.models import read
from kdsl.cli.rewriting import diff, model_files, put, rewrite
from kdsl.source import Source

if TYPE_CHECKING:
    from kdsl.format import Formatted

EXAMPLES = """\
  kdsl format digits.kmodel
  kdsl format models/                                   every .kmodel file in it
  kdsl format --check models/                           exit code 1 where a file would change; nothing is written
  kdsl format --diff digits.kmodel                      show what would change
  kdsl format - --stdin-filename a.kmodel < a.kmodel    for editors: the text goes to standard output
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="model files, folders of them, or - for standard input"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change, exit code 1 if any")
    parser.add_argument("--stdin", action="store_true", help="the same as -")
    parser.add_argument("--stdin-filename", metavar="NAME", default="<stdin>", help="what messages call standard input")


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit code 0 done, 1 with --check or --diff where a file would change, 2 where one could not be formatted."""
    names = [*options.files, *(["-"] if options.stdin else [])]
    if not names:
        raise CliError("kdsl format: no files are given", "kdsl format . takes every model in this folder")
    if "-" in names and len(names) > 1:
        raise CliError("standard input is formatted alone, without other files")
    changed = failed = 0
    files = model_files(names)
    for name in files:
        try:
            changed += one(name, options, console)
        except CliError as error:
            console.error(error.message, error.help)
            failed += 1
    if "-" not in names:
        report(len(files) - failed, changed, options, console)
    return USAGE if failed else FINDINGS if changed and (options.check or options.diff) else OK


def one(name: str, options: argparse.Namespace, console: Console) -> bool:
    """Format one file -> whether it changes."""
    source = read(name, options.stdin_filename)
    if not isinstance(source, Source):
        raise CliError(f"{source.span.source.name}: {source.message}", source.help)
    formatted = checked(source)
    data = formatted.text.encode("utf-8")
    changed = source.text.encode("utf-8") != data if name == "-" else Path(name).read_bytes() != data
    if formatted.left:
        places = "what has errors stays" if formatted.left == 1 else f"{formatted.left} places with errors stay"
        console.note(
            f"{source.name}: {places} as {'it is' if formatted.left == 1 else 'they are'}; kdsl lint shows more"
        )
    if options.diff:
        console.out.write(diff(source.name, source.text, formatted.text, console.out_color))
    elif options.check:
        if changed:
            console.print(f"{source.name} would be formatted")
    elif name == "-":
        put(data, console)
    elif changed:
        rewrite(name, data)
        console.print(f"{source.name} formatted")
    return changed


def checked(source: Source) -> Formatted:
    from kdsl.format import FormatterBug, format_source

    try:
        return format_source(source)
    except FormatterBug as bug:
        help = "this is a bug in kdsl: please report it with the file"
        raise CliError(f"{source.name} stays as it is: {bug}", help) from bug


def report(files: int, changed: int, options: argparse.Namespace, console: Console) -> None:
    if options.diff or not files:
        return
    same = files - changed
    kept = f"{same} file{'s' * (same != 1)} unchanged" if same else ""
    would = "would be formatted" if options.check else "formatted"
    new = f"{changed} file{'s' * (changed != 1)} {would}" if changed else ""
    console.done(", ".join(filter(None, [new, kept])) + ".")
