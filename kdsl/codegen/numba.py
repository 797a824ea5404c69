"""The numba target: functions over blocks of rows, the update of the weights, and the runtime that they stand on."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kdsl.codegen.library import Library, names_in
from kdsl.codegen.numba_emit import row_function
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.numba_update import LOCALS, UpdateText
from kdsl.codegen.sections import Options, Sections
from kdsl.codegen.text import comment, pyrepr
from kdsl.elaborate.program import ModelProgram
from kdsl.plan.model import ModelPlan, plan_model
from kdsl.plan.names import RESERVED

CARRIED = (
    "simd",
    "simd_functions",
    "simd_memory",
    "simd_random",
    "numba_kernel",
    "numba_dense",
    "numba_softmax",
    "numba_measures",
    "numba_moves",
    "numba_team",
    "numba_engine",
)
COMPILED_TITLE = "What is compiled of the functions above, each when it is first needed."
MODEL_NAMES = (
    "predict_block",
    "predict",
    "evaluate_block",
    "evaluate",
    "forward_backward",
    "add_results",
    "weight_gradients",
    "clip_factors",
    "update",
    "train",
)


def numba_sections(program: ModelProgram, graphs: Any, options: Options) -> Sections:
    """The functions of a model and its Engine, compiled by numba."""
    library = Library([import_module(f"kdsl.runtime.{name}") for name in CARRIED], options)
    taken = {*RESERVED, *library.names, *(options.prefix + name for name in MODEL_NAMES), options.engine}
    optimizer = None if program.training is None else OptimizerText(program.training.optimizer, options.prefix)
    if optimizer is not None:
        taken |= {*LOCALS.split(), *optimizer.locals, optimizer.name}
    plan = plan_model(program, graphs, taken, options.prefix, "reuse_buffers" not in options.without)
    model = _model_text(plan, graphs, options, optimizer)
    made = [text for _, text in plan.maps.texts]
    made_names = [name for name, _ in plan.maps.texts]
    imports: list[str] = ["import numpy as np"]
    extra: list[tuple[str, str]] = [
        ("Kernels of this model: one loop for a chain of elementwise operations.", t) for t in made
    ]
    if optimizer is not None:
        made_names.append(optimizer.name)
        extra.append(("The optimizer's step, on a run of weights.", optimizer.kernel()))
        imports.append("import math")
    compiled = [*made_names, *(options.prefix + name for name in _functions(plan))]
    roots = names_in(model, *(text for _, text in extra))
    carried, more = library.needed(roots)
    extra.append((COMPILED_TITLE, "\n".join(f"kernel({name})" for name in compiled)))
    return Sections(
        imports=tuple(dict.fromkeys([*imports, *more])),
        model=model,
        carried=(*carried, *extra),
    )


def _functions(plan: ModelPlan) -> list[str]:
    names = ["predict_block", "predict"]
    if plan.train is not None:
        names += ["evaluate_block", "evaluate", "forward_backward", "add_results"]
        names += ["weight_gradients", "clip_factors"] if plan.clip else []
        names += ["update", "train"]
    return names


def _model_text(plan: ModelPlan, graphs: Any, options: Options, optimizer: OptimizerText | None) -> str:
    from kdsl.codegen.templating import environment

    prefix = options.prefix
    capital = prefix.upper()
    train = plan.train is not None
    context: dict[str, Any] = {
        "prefix": prefix,
        "P": capital,
        "engine": options.engine,
        "train": train,
        "gradients": plan.clip is not None,
        "constants": _constants(plan, capital),
        "update_chunks": plan.update_chunks,
        "layout": _layout(plan, options),
        "blocks": lambda function, sums: _blocks(f"{prefix}{function}", capital, sums, prefix),
        "predict_block": row_function(
            plan,
            graphs.predict,
            plan.predict,
            f"{prefix}predict_block",
            "predict",
            "A block of rows, from the inputs to the outputs.",
            capital,
        ),
        "evaluate_block": "",
        "train_rows": "",
        "update": "",
        "close": "",
    }
    if plan.train is not None and plan.evaluate is not None and optimizer is not None:
        context["evaluate_block"] = row_function(
            plan,
            graphs.evaluate,
            plan.evaluate,
            f"{prefix}evaluate_block",
            "evaluate",
            "A block of rows, from the data to the loss and the metrics; nothing is dropped.",
            capital,
        )
        context["train_rows"] = row_function(
            plan,
            graphs.train,
            plan.train,
            f"{prefix}forward_backward",
            "train",
            "A block of a batch's rows: forward, the loss, and the gradient of every layer's output.",
            capital,
        )
        context["update"] = UpdateText(plan, graphs.train, prefix, optimizer).text()
        context["close"] = _add_results(plan, prefix)
    return environment().get_template("numba_model.py.j2").render(**context).strip("\n")


def _constants(plan: ModelPlan, capital: str) -> list[str]:
    memory = plan.memory
    lines = [f"{capital}ZEROS, {capital}ONES = 0, {memory.ones}"]
    lines += [f"{name} = {offset}" for name, offset, _ in memory.constants]
    for place in memory.weights.values():
        lines.append(f"{place.constant} = {place.offset}  # {comment(place.path)} {list(place.shape)}")
    for number, slot in enumerate(memory.slots):
        lines.append(f"{capital}{slot.upper()} = {(number + 1) * memory.weight_numbers}  # from a weight to its {slot}")
    for path, offset in memory.transposed.items():
        lines.append(f"{memory.weights[path].constant}_TRANSPOSED = {offset}")
    if memory.gradients is not None:
        lines.append(f"{capital}GRADIENTS = {memory.gradients - memory.first_weight}  # from a weight to its gradient")
    lines.append(
        f"{capital}SCRATCH, {capital}SCRATCH_SIZE = {memory.fixed}, {plan.scratch}  # of the first thread, and of each"
    )
    lines.append(f"{capital}BLOCK_ROWS = {plan.block_rows}  # rows that one thread takes at a time")
    return lines


def _blocks(function: str, capital: str, sums: bool, prefix: str) -> str:
    """The body of `predict` and `evaluate`: phases of blocks of rows."""
    chunk = ", chunk" if sums else ""
    close = (
        f"""
                {prefix}add_results(job, -1, min(chunks * {capital}BLOCK_ROWS, count - done * {capital}BLOCK_ROWS), chunks)"""
        if sums
        else ""
    )
    return f"""    team, count, phase = longs_at(job[TEAM]), job[COUNT], job[PHASE]
    blocks = (count + {capital}BLOCK_ROWS - 1) // {capital}BLOCK_ROWS
    for done in range(0, blocks, CHUNKS_AT_ONCE):
        chunks = min(CHUNKS_AT_ONCE, blocks - done)
        chunk = claim(team, phase, chunks)
        while chunk >= 0:
            start = (done + chunk) * {capital}BLOCK_ROWS
            {function}(job, start, min({capital}BLOCK_ROWS, count - start){chunk}, me)
            if finish(team, chunks):{close}
                open_phase(team, phase + 1)
            chunk = claim(team, phase, chunks)
        phase += 1"""


def _add_results(plan: ModelPlan, prefix: str) -> str:
    """Adds the blocks' sums in order; a loss that is not finite stops the training before the update."""
    assert plan.train is not None and plan.evaluate is not None
    count = plan.train.sums
    names = [f"sum_{i}" for i in range(count)]
    lines = [
        f"def {prefix}add_results(job: Longs, step: int, rows: int, blocks: int) -> None:",
        '    """The blocks\' sums, added in the blocks\' order; in a training step a loss that is not finite is noted, and adds nothing."""',
        "    partials, totals = doubles_at(job[PARTIALS]), doubles_at(job[TOTALS])",
        f"    {', '.join(names)} = {', '.join('0.0' for _ in names)}",
        "    for block in range(blocks):",
        *(f"        {name} += partials[block * {count} + {i}]" for i, name in enumerate(names)),
    ]
    results = []
    for text in plan.train.results:
        for i, name in enumerate(names):
            text = text.replace(f"sums[{i}]", name)
        results.append(text)
    lines += [
        f"    loss = {results[0]}",
        "    if step >= 0 and loss - loss != 0.0:",
        "        job[BAD] = step",
        "        return",
    ]
    lines.append("    totals[0] += loss")
    lines += [f"    totals[{i}] += {text}" for i, text in enumerate(results) if i]
    return "\n".join(lines)


def _layout(plan: ModelPlan, options: Options) -> str:
    memory, program = plan.memory, plan.program
    prefix, capital = options.prefix, options.prefix.upper()
    functions = ["predict", "evaluate", "train"] if plan.train is not None else ["predict"]
    weights = "".join(
        f"            {pyrepr(p.path)}: ({p.constant}, {pyrepr(p.shape)}),\n" for p in memory.weights.values()
    )
    copies = ", ".join(f"{pyrepr(path)}: {memory.weights[path].constant}_TRANSPOSED" for path in memory.transposed)
    constants = ", ".join(f"{name}: {pyrepr(values)}" for name, _, values in memory.constants)
    outputs = pyrepr(tuple(type.shape for _, type in program.outputs))
    fields = [
        f"weights={{\n{weights}        }}",
        f"transposed={{{copies}}}",
        f"constants={{{constants}}}",
        f"ones={capital}ONES",
        f"widest={memory.widest}",
        f"weight_numbers={memory.weight_numbers}",
        f"slots={pyrepr(memory.slots)}",
        f"fixed={capital}SCRATCH",
        f"scratch={capital}SCRATCH_SIZE",
        f"kept={plan.train.kept if plan.train else 0}",
        f"batch={plan.batch}",
        f"block_rows={capital}BLOCK_ROWS",
        f"sums={plan.train.sums if plan.train else 0}",
        f"results={len(plan.train.results) if plan.train else 0}",
        f"pieces={sum(step.pieces for group in plan.groups for step in group.steps) if plan.clip else 0}",
        f"chunks={plan.update_chunks}",
        f"inputs={len(program.inputs) + (len(program.targets) if plan.train else 0)}",
        f"outputs={outputs}",
        f"functions=({', '.join(prefix + name for name in functions)},)",
    ]
    return "Layout(\n" + "".join(f"        {field},\n" for field in fields) + "    )"
