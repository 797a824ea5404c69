"""Run a model and say how long each layer and each kernel takes, beside what this machine could do."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl.cli.compiling import add_file, passes
from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.models import add_model, checked, one_of, settings, show, source_of
from kdsl.cli.summary import whole, with_batch

if TYPE_CHECKING:
    from kdsl.elaborate.program import ModelProgram
    from kdsl.timing.result import Timing

EXAMPLES = """\
  kdsl time digits.kmodel                           a training step, on random numbers
  kdsl time digits.kmodel --batch 512 --threads 1
  kdsl time digits.kmodel --by kernel               the slowest kernels first
  kdsl time digits.kmodel --predict --batch 1       one sample
  kdsl time digits.kmodel --svg digits.svg          a bar chart
  kdsl time digits.kmodel --output json             for programs
"""

PREDICTED = 32  # rows, for a model that says nothing of a batch


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_model(parser)
    parser.add_argument("--dtype", choices=["f32", "f64"], default="f32", help="what is computed in (default: f32)")
    parser.add_argument("--predict", action="store_true", help="time predict, not a training step")
    parser.add_argument("--batch", type=whole, metavar="N", help="rows of a step (default: what the train block says)")
    parser.add_argument(
        "--data", metavar="SPEC", help="rows to compute with, as in kdsl train (default: random numbers)"
    )
    parser.add_argument("--threads", type=whole, metavar="N", help="default: as many as training would use")
    parser.add_argument("--steps", type=whole, metavar="N", help="how many to measure (default: for a second or two)")
    parser.add_argument(
        "--by", choices=["layer", "kernel", "call"], default="layer", help="what a row of the table is (default: layer)"
    )
    parser.add_argument("--output", choices=["text", "json"], default="text", help="default: text")
    parser.add_argument("--svg", type=Path, metavar="OUT.svg", help="write a bar chart as well")


def run(options: argparse.Namespace, console: Console) -> int:
    if options.svg is not None and (options.svg.is_dir() or not options.svg.parent.is_dir()):
        raise CliError(f"{options.svg} cannot be written: there is no such folder, or it is one itself")
    source = source_of(options.file, console)
    programs, found = checked(source, settings(options.set))
    show(options.file, found, console)
    program = one_of(programs, options.model, options.file)
    timing = timed(options, source, program)
    if options.svg is not None:
        from kdsl.timing.chart import chart

        try:
            options.svg.write_text(chart(timing), encoding="utf-8")
        except OSError as error:
            raise CliError(f"{options.svg} cannot be written: {error.strerror}") from error
    if options.output == "json":
        from kdsl.timing.result import as_data

        console.print(json.dumps(as_data(timing), indent=2))
        return OK
    from kdsl.timing.report import as_text

    console.print(as_text(timing, options.by))
    if program.training is None and not options.predict:
        console.note(f"{program.name} has no train block, so predict was timed")
    if options.svg is not None:
        console.print(f"wrote {options.svg}")
    return OK


def timed(options: argparse.Namespace, source: Any, program: ModelProgram) -> Timing:
    from kdsl.plan.places import Unsupported
    from kdsl.timing.measure import CannotTime, Kind, Wanted, measure

    training = program.training
    kind: Kind = "predict" if options.predict or training is None else "train"
    rows = options.batch or (training.batch if training is not None else PREDICTED)
    wanted = Wanted(kind, rows, options.threads, options.steps, options.dtype, passes(options.no_pass))
    data = None if options.data is None else data_of(options, program, rows)
    try:
        return measure(source, with_batch(program, rows), wanted, data)
    except (CannotTime, Unsupported, ValueError, TypeError) as error:
        raise CliError(f"{program.name} cannot be timed: {error}") from error


def data_of(options: argparse.Namespace, program: ModelProgram, rows: int) -> Any:
    from kdsl.datasets import DataError, Options, load

    try:
        found = load(options.data, program, Options(scalar="float64" if options.dtype == "f64" else "float32"))
    except DataError as error:
        raise CliError(str(error)) from error
    if found.train.rows < rows:
        raise CliError(
            f"{options.data} has {found.train.rows:,} rows, and a step takes {rows:,}", "--batch N takes fewer"
        )
    return found.train.inputs, found.train.targets
