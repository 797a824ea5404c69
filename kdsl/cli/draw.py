"""Draw a model: its layers as they flow, the operations that are computed, or the functions of its module."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl.cli.compiling import add_file, passes
from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.models import add_model, checked, one_of, settings, show, source_of

if TYPE_CHECKING:
    from kdsl.draw.scene import Scene
    from kdsl.elaborate.program import ModelProgram

EXAMPLES = """\
  kdsl draw digits.kmodel                              digits.svg, beside it
  kdsl draw digits.kmodel --depth 1 -o overview.svg    blocks that lie in blocks closed
  kdsl draw digits.kmodel --view computation           forward and backward, op by op
  kdsl draw digits.kmodel --format mermaid -o -        text for a page of documentation
"""

FORMATS = {"svg": ".svg", "dot": ".dot", "mermaid": ".mmd"}


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_model(parser)
    parser.add_argument(
        "--view",
        choices=["dataflow", "computation", "functions"],
        default="dataflow",
        help="dataflow (the default): layers as written; computation: the ops they become, gradients included; "
        "functions: the kernels and calls of the generated module",
    )
    parser.add_argument("--format", choices=[*FORMATS], help="default: what the name of OUT ends in, else svg")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write it (default: beside FILE); - prints it")
    parser.add_argument("--depth", type=_depth, metavar="N", help="open blocks N levels deep only (default: all)")
    parser.add_argument("--expand", action="store_true", help="draw every copy of a `repeat`")


def run(options: argparse.Namespace, console: Console) -> int:
    form = options.format or _form_of(options.output)
    programs, found = checked(source_of(options.file, console), settings(options.set))
    show(options.file, found, console)
    program = one_of(programs, options.model, options.file)
    text = _text(_scene(program, options), form)
    if options.output == "-":
        console.out.write(text)
        return OK
    path = Path(options.output) if options.output else Path(options.file).with_suffix(FORMATS[form])
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror or error}") from error
    console.print(f"wrote {path}")
    return OK


def _form_of(output: str | None) -> str:
    suffix = Path(output).suffix if output and output != "-" else ".svg"
    return next((form for form, ending in FORMATS.items() if ending == suffix), "svg")


def _scene(program: ModelProgram, options: argparse.Namespace) -> Scene:
    from kdsl.draw.fold import folded

    if options.view == "dataflow":
        from kdsl.draw.dataflow import dataflow

        return folded(dataflow(program), options.depth, options.expand)
    if options.view == "computation":
        from kdsl.draw.computation import computation

        return computation(program, passes(options.no_pass))
    from kdsl.draw.functions import functions
    from kdsl.plan.places import Unsupported

    try:
        return functions(program, passes(options.no_pass))
    except Unsupported as error:
        raise CliError(f"{program.name} cannot be planned: {error}", "--view computation shows its ops") from error


def _text(scene: Scene, form: str) -> str:
    if form == "dot":
        from kdsl.draw.dot import dot

        return dot(scene)
    if form == "mermaid":
        from kdsl.draw.mermaid import mermaid

        return mermaid(scene)
    from kdsl.draw.svg import svg

    return svg(scene)


def _depth(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(text)
