"""Print a model's computation graph, as it is after all passes or after one of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kdsl.cli.compiling import add_file, passes
from kdsl.cli.console import OK, CliError, Console
from kdsl.cli.models import add_model, checked, one_of, settings, show, source_of, unknown

if TYPE_CHECKING:
    from kdsl.elaborate.program import ModelProgram
    from kdsl.passes.pass_ import Kind

PLAN = "plan"

EXAMPLES = """\
  kdsl ir digits.kmodel                              the training step
  kdsl ir digits.kmodel --graph predict              what predict computes
  kdsl ir digits.kmodel --after differentiate        before anything is fused
  kdsl ir digits.kmodel --after plan                 the kernels that it becomes, and why
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--after", metavar="PASS", help="stop after this pass; after `plan` it is calls of kernels")
    parser.add_argument(
        "--graph", choices=["train", "evaluate", "predict"], help="which function (default: train, where there is one)"
    )
    add_model(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    programs, found = checked(source_of(options.file, console), settings(options.set))
    show(options.file, found, console)
    from kdsl.graph.printer import print_graph
    from kdsl.passes.pipeline import OPTIONAL, PIPELINE, optimise, slice_graph

    program = one_of(programs, options.model, options.file)
    kind: Kind = options.graph or ("predict" if program.training is None else "train")
    if program.training is None and kind != "predict":
        raise CliError(
            f"{program.name} has no train block, so there is no {kind} graph", "--graph predict shows the rest"
        )
    names = [*dict.fromkeys(step.name for step in PIPELINE), PLAN]
    if options.after is not None and options.after not in names:
        raise unknown(f"there is no pass {options.after}", options.after, names)
    without = passes(options.no_pass)
    if options.after == PLAN:
        console.out.write(planned(program, kind, without))
        return OK
    kept = without.intersection(OPTIONAL)  # the plan's own change no graph
    graph = optimise(slice_graph(program.graph, kind), kept, until=options.after, kind=kind)
    console.out.write(print_graph(graph))
    return OK


def planned(program: ModelProgram, kind: Kind, without: frozenset[str]) -> str:
    from kdsl.passes.pipeline import OPTIONAL, make_graphs
    from kdsl.plan.model import plan_model
    from kdsl.plan.names import RESERVED
    from kdsl.plan.printer import print_plan

    graphs = make_graphs(program, without.intersection(OPTIONAL))
    return print_plan(plan_model(program, graphs, RESERVED, without=without), kind)
