"""Which command runs, and its options: argparse, with did-you-mean."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from kdsl import __version__
from kdsl.cli.console import CliError, Console
from kdsl.diagnostics.suggest import nearest

Command = Callable[[argparse.Namespace, Console], int]

COMMANDS = {
    "new": "write a commented model file to start from",
    "lint": "check model files",
    "format": "lay model files out in the one style",
    "build": "write the Python module of a model",
    "train": "build a model and train it on data",
    "summary": "print a model's layers, shapes, parameters and memory",
    "time": "measure how long each layer and kernel takes",
    "draw": "draw a model as SVG, Graphviz's dot or Mermaid",
    "render": "print a model file with all defaults written out",
    "explain": "explain the code of an error or warning",
    "ir": "print a model's computation graph",
}

HABITS = {
    "check": "lint",
    "fmt": "format",
    "compile": "build",
    "init": "new",
    "create": "new",
    "fit": "train",
    "run": "train",
    "profile": "time",
    "bench": "time",
}

USAGE_TEXT = "kdsl [--version] [--color auto|always|never] COMMAND ..."


def overview() -> str:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:{width}}  {text}" for name, text in COMMANDS.items())
    return f"""usage: {USAGE_TEXT}

kdsl compiles a neural network written in its own small language into one fast Python module.

commands:
{lines}

  kdsl COMMAND --help says more and shows examples.

examples:
  kdsl new my_net.kmodel                            a file to start from
  kdsl train my_net.kmodel --data sklearn:digits    train it at once
  kdsl build my_net.kmodel                          my_net.py, to import anywhere
"""


class Parser(argparse.ArgumentParser):
    """argparse's, which names the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        known = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        wrong = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        near = nearest(wrong[1], known, limit=1) if wrong else []
        raise CliError(f"{self.prog}: {message}", f"did you mean {near[0]}?" if near else f"see {self.prog} --help")


class _Layout(argparse.RawDescriptionHelpFormatter):
    """argparse's, which would import archive formats for the width of the terminal, even where no help is printed."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=columns - 2)


class _Overview(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        print(overview(), end="")
        parser.exit()


def read_command(arguments: list[str]) -> tuple[Command, argparse.Namespace]:
    """The command to run and its options. `--help` and `--version` print and raise SystemExit."""
    head, rest = _split(arguments)
    top = Parser(prog="kdsl", usage=USAGE_TEXT, add_help=False, allow_abbrev=False, formatter_class=_Layout)
    top.add_argument("-h", "--help", action=_Overview, nargs=0)
    top.add_argument("-V", "--version", action="version", version=f"kdsl {__version__}")
    _add_color(top, "auto")
    color = top.parse_args(head).color
    if not rest or rest == ["help"]:
        top.parse_args(["--help"])
    name, *tail = rest
    if name == "help":
        name, tail = tail[0], ["--help"]
    if name not in COMMANDS:
        raise _unknown(name)
    module = import_module(f"kdsl.cli.{name}")
    parser = Parser(
        prog=f"kdsl {name}",
        description=module.__doc__,
        epilog=f"examples:\n{module.EXAMPLES}",
        formatter_class=_Layout,
        allow_abbrev=False,
    )
    module.arguments(parser)
    _add_color(parser, color)
    return module.run, parser.parse_args(tail)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands before the command, and the command with all that follows it."""
    stop = 0
    while stop < len(arguments) and arguments[stop].startswith("-"):
        stop += 2 if arguments[stop] == "--color" else 1
    return arguments[:stop], arguments[stop:]


def _add_color(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default=default,
        help="colour in the output (default: auto, a terminal's; NO_COLOR and FORCE_COLOR count too)",
    )


def _unknown(name: str) -> CliError:
    message = f"kdsl has no command {name}"
    if name.endswith(".kmodel"):
        return CliError(message, f"say what to do with it: kdsl lint {name}, kdsl build {name}, kdsl train {name} ...")
    near = nearest(name, COMMANDS, limit=1)
    meant = HABITS.get(name) or (near[0] if near else "")
    return CliError(message, f"did you mean kdsl {meant}?" if meant else f"the commands are {', '.join(COMMANDS)}")
