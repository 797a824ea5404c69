"""Print a model's layers, shapes, parameters, work and memory. Nothing is compiled or run for it."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kdsl.cli.compiling import add_file, add_target, passes
from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.models import add_model, checked, no_model, one_of, settings, show, source_of

if TYPE_CHECKING:
    from kdsl.elaborate.program import ModelProgram
    from kdsl.runtime.declaration import Declaration

EXAMPLES = """\
  kdsl summary digits.kmodel
  kdsl summary digits.kmodel --set hidden=1024    what a parameter would cost
  kdsl summary digits.kmodel --batch 512          work and memory of larger batches
  kdsl summary deep.kmodel --depth 1              one row for each block
  kdsl summary digits.kmodel --output json        for programs
"""

BATCHES = (1, 32, 128)


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    add_target(parser)
    add_model(parser)
    parser.add_argument("--batch", type=whole, metavar="N", help="as if the train block said `batch = N`")
    parser.add_argument("--depth", type=whole, metavar="N", help="show blocks only N levels deep (default: all)")
    parser.add_argument("--output", choices=["text", "json"], default="text", help="default: text")


def run(options: argparse.Namespace, console: Console) -> int:
    programs, found = checked(source_of(options.file, console), settings(options.set))
    show(options.file, found, console)
    if options.model is not None:
        programs = (one_of(programs, options.model, options.file),)
    if not programs:
        raise no_model(options.file)
    without = passes(options.no_pass)
    measured = [Measured(program, options, without) for program in programs]
    if options.output == "json":
        found_all = [as_data(each) for each in measured]
        console.print(json.dumps(found_all if len(found_all) > 1 else found_all[0], indent=2))
        return OK
    console.print("\n\n".join(as_text(each, options.depth) for each in measured))
    return OK


class Measured:
    """What is known of one model: the declaration of its module, and the bytes that training holds by batch size."""

    def __init__(self, program: ModelProgram, options: argparse.Namespace, without: frozenset[str]) -> None:
        from kdsl.codegen.declare import declaration_of
        from kdsl.passes.pipeline import make_graphs
        from kdsl.plan import OPTIONAL

        self.options, self.without = options, without
        if options.batch is not None:
            program = with_batch(program, options.batch)
        self.program = program
        self.graphs = make_graphs(program, without.difference(OPTIONAL))
        scalar = "float64" if options.dtype == "f64" else "float32"
        self.declaration: Declaration = declaration_of(program, self.graphs, scalar)
        self.nbytes = self.bytes_of(program)
        training = program.training
        sizes = sorted({*BATCHES, training.batch}) if training is not None else []
        self.by_batch = {size: self.bytes_of(with_batch(program, size)) for size in sizes}

    def bytes_of(self, program: ModelProgram) -> int:
        from kdsl.plan.footprint import numba_bytes, numpy_bytes

        if self.options.target == "numpy":
            return numpy_bytes(program, self.options.dtype)
        from kdsl.plan.model import plan_model
        from kdsl.plan.names import RESERVED
        from kdsl.plan.places import Unsupported

        try:
            plan = plan_model(program, self.graphs, RESERVED, without=self.without)
        except Unsupported as error:
            raise CliError(f"{program.name} cannot be planned: {error}", "--target numpy shows the rest") from error
        return numba_bytes(plan, self.options.dtype)


def with_batch(program: ModelProgram, batch: int) -> ModelProgram:
    if program.training is None:
        return program
    return replace(program, training=replace(program.training, batch=batch))


def as_text(measured: Measured, depth: int | None) -> str:
    """The module's own summary, and below it what other batches would need."""
    from kdsl.runtime.summary import summary_text, with_prefix

    text = summary_text(measured.declaration, measured.nbytes, depth)
    if not measured.by_batch:
        return text
    columns = [(str(size), f"{with_prefix(held)}B") for size, held in measured.by_batch.items()]
    widths = [max(map(len, column)) for column in columns]
    rows = zip(("  for a batch of", "  it is"), zip(*columns, strict=True), strict=True)
    lines = [
        f"{head:18}" + "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        for head, cells in rows
    ]
    return "\n".join([text, *lines])


def as_data(measured: Measured) -> dict[str, Any]:
    """The same for programs: numbers are whole, bytes and operations of one sample."""
    declaration, program = measured.declaration, measured.program
    weights = {weight.name: weight for weight in declaration.weights}
    sizes = {record.name: size(record.shape) for record in program.weights}
    trained = sum(sizes[name] for name, weight in weights.items() if weight.trainable)
    total = sum(sizes.values())
    training = declaration.training
    return {
        "name": declaration.name,
        "source": declaration.source,
        "inputs": [port(each) for each in declaration.inputs],
        "targets": [port(each) for each in declaration.targets],
        "outputs": [port(each) for each in declaration.outputs],
        "layers": [layer._asdict() for layer in declaration.layers],
        "weights": [
            {"name": w.name, "shape": list(w.shape), "trained": w.trainable, "parameters": sizes[w.name]}
            for w in declaration.weights
        ],
        "parameters": {"total": total, "trained": trained, "not_trained": total - trained},
        "flops": {"predict": declaration.flops, "training_step": training.flops if training else None},
        "batch": training.batch_size if training else None,
        "bytes": measured.nbytes,
        "bytes_by_batch": {str(batch): held for batch, held in measured.by_batch.items()},
    }


def port(declared: Any) -> dict[str, Any]:
    return {"name": declared.name, "type": str(declared).split(": ", 1)[1], "place": declared.place}


def size(shape: tuple[int, ...]) -> int:
    from math import prod

    return prod(shape)


def whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
