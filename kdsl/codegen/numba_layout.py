"""Where everything of a model lies: constants at the head of its part of a module, and what the engine must know."""

from __future__ import annotations

from kdsl.codegen.sections import Options
from kdsl.codegen.text import comment, joined_tuple, pyrepr
from kdsl.plan.model import ModelPlan


def constant_lines(plan: ModelPlan, capital: str) -> list[str]:
    memory = plan.memory
    lines = [f"{capital}ZEROS, {capital}ONES = 0, {memory.ones}"]
    lines += [f"{name} = {offset}" for name, offset, _ in memory.constants]
    for place in memory.weights.values():
        lines.append(f"{place.constant} = {place.offset}  # {comment(place.path)} {list(place.shape)}")
    for number, slot in enumerate(memory.slots):
        lines.append(f"{capital}{slot.upper()} = {(number + 1) * memory.weight_numbers}  # from a weight to its {slot}")
    lines += [f"{memory.weights[path].constant}_PANELS = {offset}" for path, offset in memory.panels.items()]
    lines += [f"{memory.weights[path].constant}_TRANSPOSED = {offset}" for path, offset in memory.transposed.items()]
    if memory.gradients is not None:
        lines.append(f"{capital}GRADIENTS = {memory.gradients - memory.first_weight}  # from a weight to its gradient")
    if memory.fixed > memory.values:
        lines.append(
            f"{capital}VALUES = {memory.values}  # what has no rows: made of weights, or of sums over the batch"
        )
    lines.append(
        f"{capital}SCRATCH, {capital}SCRATCH_SIZE = {memory.fixed}, {plan.scratch}  # of the first thread, and of each"
    )
    lines.append(f"{capital}BLOCK_ROWS = {plan.block_rows}  # rows that one thread takes at a time")
    return lines


def layout_text(plan: ModelPlan, options: Options, prepares: dict[str, str]) -> str:
    """The call of `Layout`. `prepares` are names of functions that must run before one of a kind."""
    memory, program = plan.memory, plan.program
    prefix, capital = options.prefix, options.prefix.upper()
    functions = ["predict", "evaluate", "train"] if plan.train is not None else ["predict"]
    weights = "".join(
        f"            {pyrepr(p.path)}: ({p.constant}, {pyrepr(p.shape)}, {p.panels}),\n"
        for p in memory.weights.values()
    )

    def copies(paths: dict[str, int], suffix: str) -> str:
        return ", ".join(f"{pyrepr(path)}: {memory.weights[path].constant}{suffix}" for path in paths)

    constants = ", ".join(f"{name}: {pyrepr(values)}" for name, _, values in memory.constants)
    outputs = pyrepr(tuple((type.dtype, type.shape) for _, type in program.outputs))
    fields = [
        f"weights={{\n{weights}        }}",
        f"panels={{{copies(memory.panels, '_PANELS')}}}",
        f"transposed={{{copies(memory.transposed, '_TRANSPOSED')}}}",
        f"constants={{{constants}}}",
        f"ones={capital}ONES",
        f"widest={memory.widest}",
        f"weight_numbers={memory.weight_numbers}",
        f"slots={pyrepr(memory.slots)}",
        f"fixed={capital}SCRATCH",
        f"scratch={capital}SCRATCH_SIZE",
        f"kept={plan.kept}",
        f"partial={plan.partial}",
        f"rows={plan.rows}",
        f"block_rows={capital}BLOCK_ROWS",
        f"sums={plan.sums}",
        f"numbers={plan.numbers}",
        f"results={len(plan.train.results) if plan.train else 0}",
        f"pieces={plan.pieces}",
        f"chunks={max(plan.update_chunks, plan.late_chunks)}",
        f"inputs={len(program.inputs) + (len(program.targets) if plan.train else 0)}",
        f"outputs={outputs}",
        f"functions={joined_tuple(prefix + name for name in functions)}",
        f"prepares={joined_tuple(prepares.get(name, 'None') for name in functions)}",
    ]
    return "Layout(\n" + "".join(f"        {field},\n" for field in fields) + "    )"
