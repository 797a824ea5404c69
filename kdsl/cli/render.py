"""Print a model file as it is understood: defaults written out, inferred shapes and weights as comments."""

from __future__ import annotations

import argparse
from pathlib import Path

from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.models import add_settings, checked, no_model, settings, show, source_of

EXAMPLES = """\
  kdsl render digits.kmodel                        to read
  kdsl render digits.kmodel --set hidden=256       with the value in its place
  kdsl render digits.kmodel -o digits_full.kmodel  a model file like any other: it compiles to the same model
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .kmodel file")
    add_settings(parser)
    parser.add_argument("-o", "--output", metavar="OUT.kmodel", help="where to write it (default: it is printed)")


def run(options: argparse.Namespace, console: Console) -> int:
    source, given = source_of(options.file, console), settings(options.set)
    programs, found = checked(source, given)
    show(options.file, found, console)
    if not programs:
        raise no_model(options.file)
    from kdsl.render import render

    text = render(source, given)
    if options.output in (None, "-"):
        console.out.write(text)
        return OK
    path = Path(options.output)
    if path.resolve() == Path(options.file).resolve():
        raise CliError(f"{path} is the model itself", "choose another name: the text says more than the file does")
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror or error}") from error
    console.print(f"wrote {path}")
    return OK
