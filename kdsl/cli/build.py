"""Write the Python module of a model: one file, which needs NumPy and Numba but not kdsl."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kdsl.cli.compiling import add_file, add_target, compiled, warm_file
from kdsl.cli.console import OK, Console
from kdsl.cli.output import module_path, write

EXAMPLES = """\
  kdsl build digits.kmodel                      digits.py, beside it
  kdsl build digits.kmodel -o lib/digits.py     somewhere else
  kdsl build digits.kmodel --set hidden=256     with a parameter changed
  kdsl build digits.kmodel --target numpy       a module that needs only NumPy
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument(
        "-o", "--output", metavar="OUT.py", help="where to write it (default: beside FILE); - prints it instead"
    )
    add_target(parser)
    parser.add_argument(
        "--warm", action="store_true", help="compile the kernels now, so that the first run starts fast"
    )
    parser.add_argument("--force", action="store_true", help="replace the output even if kdsl did not make it")


def run(options: argparse.Namespace, console: Console) -> int:
    """An output that would not change is left alone, so that whatever depends on it stays up to date."""
    text = compiled(options, console).text or ""
    if options.output == "-":
        sys.stdout.buffer.write(text.encode("utf-8"))
        return OK
    path = module_path(Path(options.file), options.output)
    changed = write(path, text, options.force)
    console.print(f"wrote {path}" if changed else f"{path} is up to date")
    if options.warm:
        warm_file(path)
        console.print("compiled its kernels")
    return OK
