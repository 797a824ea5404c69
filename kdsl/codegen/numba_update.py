"""The update of the weights as text: the optimizer's kernel, and which chunk takes which weight."""

from __future__ import annotations

import ast
import inspect
import textwrap

from kdsl.codegen.numba_emit import kept_at, shape
from kdsl.codegen.text import call, comment, indented, origin_of
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Graph, Node
from kdsl.plan.launch import Buffer
from kdsl.plan.model import ModelPlan
from kdsl.plan.update import COLUMNS, Group, WeightStep


def _rule(program: ModelProgram) -> tuple[object, dict[str, object]]:
    from kdsl.training.optimizers import OPTIMIZERS

    assert program.training is not None
    flags = dict(program.training.optimizer.flags)
    return OPTIMIZERS[program.training.optimizer.name].rule(flags), flags  # type: ignore[return-value]


def optimizer_kernel(program: ModelProgram, prefix: str) -> tuple[str, str]:
    """(name, text) of the kernel that moves a run of weights: the optimizer's rule over registers."""
    from kdsl.training.rule import Rule

    rule, flags = _rule(program)
    assert isinstance(rule, Rule)
    function = ast.parse(textwrap.dedent(inspect.getsource(rule.update))).body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = [argument.arg for argument in function.args.args]
    states, factors = arguments[: 2 + len(rule.slots)], arguments[2 + len(rule.slots) :]
    extra = _extra(flags)
    name = f"{prefix}{rule.update.__name__}_step"
    parameters = ["mem: Memory", "count: int", *(f"{s}_at: int" for s in states)]
    parameters += [f"{f}: float" for f in (*factors, *extra)]
    lines = [call(f"def {name}(", parameters, ") -> None:"), "    for i in range(0, count, LANES):"]
    lines += [f"        {s} = load(mem, {s}_at + i)" for s in states]
    if "clip" in extra:
        lines.append("        gradient = gradient * clip")
    if "limit" in extra:
        lines.append("        gradient = minimum(maximum(gradient, -limit), limit)")
    if "decay" in extra:
        lines.append("        weight = weight - weight * decay")
    *body, returned = function.body
    assert isinstance(returned, ast.Return) and isinstance(returned.value, ast.Tuple)
    lines += [f"        {ast.unparse(statement)}" for statement in body if not isinstance(statement, ast.Expr)]
    new = [ast.unparse(value) for value in returned.value.elts]
    for state, value in zip(["weight", *states[2:]], new, strict=True):
        lines.append(f"        store(mem, {state}_at + i, {value})")
    lines.insert(
        1,
        f'    """{program.training.optimizer.name if program.training else ""}, on `count` weights; padding stays as it is."""',
    )
    return name, "\n".join(lines)


def _extra(flags: dict[str, object]) -> list[str]:
    """What the kernel takes besides the rule's factors."""
    extra = ["clip"] if flags.get("clip") in ("norm", "global_norm") else []
    extra += ["limit"] if flags.get("clip") == "value" else []
    return extra + (["decay"] if flags.get("weight_decay") else [])


def update_function(plan: ModelPlan, graph: Graph, prefix: str) -> str:
    """`update(job, step, rows, chunk, me)`."""
    from kdsl.training.rule import Rule

    assert plan.program.training is not None
    rule, flags = _rule(plan.program)
    assert isinstance(rule, Rule)
    numbers = [name for name, _ in plan.program.training.optimizer.numbers]
    coefficients = ast.parse(textwrap.dedent(inspect.getsource(rule.coefficients))).body[0]
    assert isinstance(coefficients, ast.FunctionDef)
    head = f"def {prefix}update(job: Longs, step: int, rows: int, chunk: int, me: int) -> None:"
    lines = [
        head,
        '    """One chunk of the step: the gradients of some weights, and how they follow."""'
        if not plan.clip
        else '    """One chunk of the step: weights follow their gradients."""',
    ]
    body = ["mem, hyper = memory_at(job[MEM]), doubles_at(job[HYPER])"]
    body.append(f"{', '.join(numbers)} = {', '.join(f'hyper[{i}]' for i in range(len(numbers)))}")
    factors = list(inspect.signature(rule.update).parameters)[2 + len(rule.slots) :]
    *before, returned = coefficients.body
    assert isinstance(returned, ast.Return) and returned.value is not None
    used = "".join(ast.unparse(s) for s in coefficients.body)
    if "step" in used:
        body.append("iteration = job[STEP] + step")
    body += [_renamed(ast.unparse(s)) for s in before if not isinstance(s, ast.Expr)]
    values = returned.value.elts if isinstance(returned.value, ast.Tuple) else [returned.value]
    body += [f"{f} = {_renamed(ast.unparse(v))}" for f, v in zip(factors, values, strict=True) if f != ast.unparse(v)]
    extra = _extra(flags)
    if "limit" in extra:
        body.append("limit = clip_value")
    if "decay" in extra:
        body.append("decay = weight_decay * lr")
    body += _kept_lines(plan)
    if plan.clip:
        body.append("squares = doubles_at(job[PARTIALS])")
    else:
        body.append(f"gradient = {prefix.upper()}SCRATCH + me * {prefix.upper()}SCRATCH_SIZE")
    lines += [f"    {line}" for line in body]
    lines += _branches(plan, lambda group: _group_lines(plan, graph, group, prefix, [*factors, *extra]))
    return "\n".join(lines)


def _renamed(text: str) -> str:
    """The rule's `step` counts from the first training step ever; the function's from this call's."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "step":
            node.id = "iteration"
    return ast.unparse(tree)


def _kept_lines(plan: ModelPlan) -> list[str]:
    assert plan.train is not None
    used = {b.name: b for b in plan.train.places.values() if b.kept}
    lines = ["kept, capacity = job[KEPT], job[CAPACITY]"] if used else []
    return lines + [f"{b.name} = {kept_at(b)}" for b in used.values()]


def _branches(plan: ModelPlan, lines_of: object) -> list[str]:
    """if chunk < ..: elif ..: else: over the groups."""
    lines = []
    for number, group in enumerate(plan.groups):
        inner = lines_of(group)  # type: ignore[operator]
        if len(plan.groups) == 1:
            return [f"    {line}" if line else "" for line in "\n".join(inner).split("\n")]
        last = number == len(plan.groups) - 1
        word = "else:" if last else f"{'elif' if number else 'if'} chunk < {group.first + group.chunks}:"
        lines.append(f"    {word}")
        lines += [f"        {line}" if line else "" for line in "\n".join(inner).split("\n")]
    return lines


def _group_lines(plan: ModelPlan, graph: Graph, group: Group, prefix: str, factors: list[str]) -> list[str]:
    lines = []
    for step in group.steps:
        lines += _gradient_lines(plan, graph, group, step) if not plan.clip else _columns(group, step)
        lines += _step_lines(plan, group, step, prefix, factors)
    return lines


def _columns(group: Group, step: WeightStep) -> list[str]:
    """Which columns of a cut weight this chunk takes."""
    if step.pieces == 1:
        return []
    first = f"chunk * {COLUMNS}" if group.first == 0 else f"(chunk - {group.first}) * {COLUMNS}"
    if step.weight.columns % COLUMNS:
        return [f"column = {first}", f"columns = min({COLUMNS}, {step.weight.columns} - column)"]
    return [f"column, columns = {first}, {COLUMNS}"]


def _gradient_lines(
    plan: ModelPlan, graph: Graph, group: Group, step: WeightStep, target: str = "gradient"
) -> list[str]:
    weight = step.weight
    lines = [f"# {comment(weight.path)} {list(weight.shape)}: {origin_of(step.terms[0], plan.program)}"]
    lines += _columns(group, step)
    for number, term in enumerate(step.terms):
        out = target if number == 0 else f"{target} + {_size(step)}"
        lines.append(_term(plan, graph, step, term, out))
        if number:
            lines.append(f"add_numbers(mem, {_size(step)}, {target} + {_size(step)}, {target})")
    return lines


def _size(step: WeightStep) -> str:
    """Numbers of the piece at hand."""
    return str(step.weight.size) if step.pieces == 1 else f"columns * {step.weight.lines}"


def _term(plan: ModelPlan, graph: Graph, step: WeightStep, term: Node, out: str) -> str:
    assert plan.train is not None
    places = [plan.train.places[name] for name in term.inputs]
    g = places[-1]
    at = g.name if step.pieces == 1 else f"{g.name} + column"
    columns = step.weight.columns if step.pieces == 1 else "columns"
    rows = "rows" if g.layout.lines == 1 else f"rows * {g.layout.lines}"
    if term.op == "bias_gradient":
        return call(
            "column_sums(",
            ["mem", f"rows={rows}", f"columns={columns}", f"g={at}", f"g_row={g.layout.step}", f"out={out}"],
            used=8,
        )
    x: Buffer = places[0]
    arguments = ["mem", f"rows={rows}", f"inputs={step.weight.lines}", f"units={columns}", f"x={x.name}"]
    arguments += [
        f"x_row={x.layout.step}",
        f"g={at}",
        f"g_row={g.layout.step}",
        f"out={out}",
        "zeros=ZEROS",
        "ones=ONES",
    ]
    return call("weight_gradient(", arguments, used=8)


def _step_lines(plan: ModelPlan, group: Group, step: WeightStep, prefix: str, factors: list[str]) -> list[str]:
    from kdsl.training.rule import Rule

    rule, _ = _rule(plan.program)
    assert isinstance(rule, Rule)
    weight, capital = step.weight, prefix.upper()
    at = weight.constant if step.pieces == 1 else f"{weight.constant} + column * {weight.lines}"
    lines = [] if step.pieces == 1 else [f"weight = {at}"]
    place = weight.constant if step.pieces == 1 else "weight"
    gradient = f"{place} + {capital}GRADIENTS" if plan.clip else "gradient"
    arguments = ["mem", f"count={_size(step)}", f"weight_at={place}", f"gradient_at={gradient}"]
    names = list(inspect.signature(rule.update).parameters)[2 : 2 + len(rule.slots)]
    arguments += [f"{n}_at={place} + {capital}{s.upper()}" for n, s in zip(names, rule.slots, strict=True)]
    for factor in factors:
        value = f"squares[{_factor_index(plan, step)}]" if factor == "clip" else factor
        arguments.append(f"{factor}={value}")
    lines.append(call(f"{prefix}{rule.update.__name__}_step(", arguments, used=8))
    if weight.path in plan.memory.transposed:
        first = "0" if step.pieces == 1 else "column"
        columns = weight.columns if step.pieces == 1 else "columns"
        arguments = ["mem", f"inputs={weight.lines}", f"units={weight.columns}", f"first={first}", f"columns={columns}"]
        arguments += [f"w={place}", f"out={weight.constant}_TRANSPOSED"]
        lines.append(call("transpose_panels(", arguments, used=8))
    return lines


# ---- clipping by norm: gradients first, then how long they are ---------------------------------------------------------


def _pieces(plan: ModelPlan) -> list[tuple[WeightStep, int]]:
    """(weight, place of its first sum of squares)."""
    found, at = [], 0
    for group in plan.groups:
        for step in group.steps:
            found.append((step, at))
            at += step.pieces
    return found


def _factors_at(plan: ModelPlan) -> int:
    return sum(step.pieces for group in plan.groups for step in group.steps)


def _factor_index(plan: ModelPlan, wanted: WeightStep) -> int:
    """The factor of a weight replaces the first of its sums of squares."""
    return next(at for step, at in _pieces(plan) if step is wanted)


def clip_functions(plan: ModelPlan, graph: Graph, prefix: str) -> str:
    """`weight_gradients` and `clip_factors`."""
    capital = prefix.upper()
    places = dict((id(step), at) for step, at in _pieces(plan))

    def lines_of(group: Group) -> list[str]:
        lines = []
        for step in group.steps:
            offset = (
                step.weight.constant if step.pieces == 1 else f"{step.weight.constant} + column * {step.weight.lines}"
            )
            lines += _gradient_lines(plan, graph, group, step, f"{offset} + {capital}GRADIENTS")
            piece = str(places[id(step)]) if step.pieces == 1 else f"{places[id(step)]} + chunk - {group.first}"
            lines.append(f"squares[{piece}] = sum_of_squares(mem, {_size(step)}, {offset} + {capital}GRADIENTS)")
        return lines

    first = [
        f"def {prefix}weight_gradients(job: Longs, rows: int, chunk: int) -> None:",
        '    """One chunk of the weights\' gradients, and its sums of squares."""',
        "    mem, squares = memory_at(job[MEM]), doubles_at(job[PARTIALS])",
        *(f"    {line}" for line in _kept_lines(plan)),
        *_branches(plan, lines_of),
    ]
    assert plan.program.training is not None
    numbers = [name for name, _ in plan.program.training.optimizer.numbers]
    limit = numbers.index("clip_norm" if plan.clip == "norm" else "global_clip_norm")
    second = [
        f"def {prefix}clip_factors(job: Longs) -> None:",
        '    """What each weight\'s gradient is multiplied by; it takes the place of its first sum of squares."""',
        f"    squares, limit = doubles_at(job[PARTIALS]), doubles_at(job[HYPER])[{limit}]",
    ]
    pieces = _pieces(plan)
    if plan.clip == "global_norm":
        total = sum(step.pieces for step, _ in pieces)
        second += ["    total = 0.0", f"    for piece in range({total}):", "        total += squares[piece]"]
        second.append("    factor = limit / max(math.sqrt(total), limit)")
        second += [f"    squares[{at}] = factor" for _, at in pieces]
    else:
        for step, at in pieces:
            second.append(f"    # {comment(step.weight.path)}")
            if step.pieces == 1:
                second.append(f"    squares[{at}] = limit / max(math.sqrt(squares[{at}]), limit)")
                continue
            second += [
                "    total = 0.0",
                f"    for piece in range({at}, {at + step.pieces}):",
                "        total += squares[piece]",
            ]
            second.append(f"    squares[{at}] = limit / max(math.sqrt(total), limit)")
    return "\n".join(first) + "\n\n\n" + "\n".join(second)


__all__ = ["clip_functions", "indented", "optimizer_kernel", "shape", "update_function"]
