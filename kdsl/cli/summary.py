"""Print a model's layers, shapes, parameters, work and memory."""

from __future__ import annotations

import argparse

from kdsl.cli.compiling import add_file, add_target, class_of, compiled
from kdsl.cli.console import OK, Console

EXAMPLES = """\
  kdsl summary digits.kmodel
  kdsl summary digits.kmodel --set hidden=1024    what a parameter would cost
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_target(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    result = compiled(options, console)
    for number, program in enumerate(result.programs):
        if number:
            console.print()
        class_of(result, program)().summary()
    return OK
