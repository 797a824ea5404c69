"""The numba target: functions over blocks of rows, the update of the weights, and the runtime that they stand on."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kdsl.codegen.clocks import NEEDED, WORDS
from kdsl.codegen.library import Library, names_in
from kdsl.codegen.numba_functions import Functions, known_names
from kdsl.codegen.numba_layout import constant_lines, layout_text
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.numba_update import LOCALS
from kdsl.codegen.sections import Options, Sections
from kdsl.elaborate.program import ModelProgram
from kdsl.plan.model import plan_model
from kdsl.plan.names import RESERVED

CARRIED = (
    "simd",
    "simd_functions",
    "simd_memory",
    "simd_wide",
    "simd_random",
    "numba_kernel",
    "numba_values",
    "numba_statements",
    "numba_driver",
    "numba_tile",
    "numba_dense",
    "numba_product",
    "numba_taps",
    "numba_window_tile",
    "numba_windows",
    "numba_window_gradient",
    "numba_winograd_tile",
    "numba_winograd_parts",
    "numba_winograd",
    "numba_winograd_gradient",
    "numba_window_copies",
    "numba_pools",
    "numba_pool_pairs",
    "numba_depthwise",
    "numba_softmax",
    "numba_measures",
    "numba_moves",
    "numba_augment",
    "numba_weights",
    "numba_team",
    "numba_engine",
    "numba_clock",
)
KERNELS_TITLE = "Kernels of this model: one loop for a chain of elementwise operations."
COMPILED_TITLE = "What is compiled of the functions above, each when it is first needed."


def numba_sections(program: ModelProgram, graphs: Any, options: Options) -> Sections:
    """The functions of a model and its Engine, compiled by numba."""
    from kdsl.codegen.templating import environment

    library = Library([import_module(f"kdsl.runtime.{name}") for name in CARRIED], options)
    taken = {*RESERVED, *library.names, *(options.prefix + name for name in known_names()), options.engine}
    clocks = options.clocks
    training = program.training
    if clocks is not None:
        taken |= {*WORDS}
        targets = len(program.targets) if training is not None else 0
        clocks.port = len(program.inputs) + targets + len(program.outputs)  # the job has one word more than it needs
    optimizer = None if training is None else OptimizerText(training.optimizer, options.prefix, training.tuned)
    if optimizer is not None:
        taken |= {*LOCALS.split(), *optimizer.locals, optimizer.name}
    plan = plan_model(program, graphs, taken, options.prefix, options.without)
    functions = Functions(plan, graphs, options.prefix, optimizer, clocks)
    constants = constant_lines(plan, options.prefix.upper())
    if clocks is not None:
        constants.append(f"CLOCK_WORDS = {clocks.words}  # of each thread: ticks and calls")
    context = {
        "constants": constants,
        "functions": list(functions.texts.values()),
        "engine": options.engine,
        "layout": layout_text(plan, options, functions.prepares),
    }
    model = environment().get_template("numba_model.py.j2").render(**context).strip("\n")
    made_names = [name for name, _ in plan.maps.texts]
    imports: list[str] = ["import numpy as np"]
    extra: list[tuple[str, str]] = [(KERNELS_TITLE, text) for _, text in plan.maps.texts]
    if optimizer is not None:
        made_names.append(optimizer.name)
        extra.append(("The optimizer's step, on a run of weights.", optimizer.kernel()))
        imports.append("import math")
    roots = (
        {"driver", "short_kernel"}
        | names_in(model, *(text for _, text in extra))
        | ({*NEEDED} if clocks is not None else set())
    )
    carried, more = library.needed(roots)
    compiled = [*(f"short_kernel({name})" for name in made_names), *(f"driver({name})" for name in functions.texts)]
    extra.append((COMPILED_TITLE, "\n".join(compiled)))
    return Sections(
        imports=tuple(dict.fromkeys([*imports, *more])),
        model=model,
        carried=(*carried, *extra),
    )
