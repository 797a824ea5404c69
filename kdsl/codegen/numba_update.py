"""The update of the weights as text: which chunk takes which weight, and how far each goes."""

from __future__ import annotations

from collections.abc import Callable

from kdsl.codegen.numba_emit import filled, kept_at
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.text import comment, origin_of
from kdsl.graph.graph import Graph, Node
from kdsl.plan.model import ModelPlan
from kdsl.plan.update import Group, WeightStep

LOCALS = "job step rows chunk me mem hyper iteration gradient weight column columns squares kept capacity"


class UpdateText:
    """`update`, and where gradients are clipped by their norms `weight_gradients` and `clip_factors` before it."""

    def __init__(self, plan: ModelPlan, graph: Graph, prefix: str, optimizer: OptimizerText) -> None:
        self.plan, self.graph, self.optimizer = plan, graph, optimizer
        self.prefix, self.capital = prefix, prefix.upper()
        self.first_piece: dict[str, int] = {}
        self.pieces = 0
        for group in plan.groups:
            for step in group.steps:
                self.first_piece[step.weight.path] = self.pieces
                self.pieces += step.pieces

    def text(self) -> str:
        functions = [self._gradients(), self._factors()] if self.plan.clip else []
        return "\n\n\n".join([*functions, self._update()])

    # ---- the functions ---------------------------------------------------------------------------------------------

    def _update(self) -> str:
        doc = "weights follow their gradients" if self.plan.clip else "the gradients of some weights, which they follow"
        lines = [
            f"def {self.prefix}update(job: Longs, step: int, rows: int, chunk: int, me: int) -> None:",
            f'    """One chunk of a step: {doc}."""',
            "    mem, hyper = memory_at(job[MEM]), doubles_at(job[HYPER])",
            *(f"    {line}" for line in self.optimizer.coefficient_lines()),
        ]
        if self.plan.clip:
            lines.append("    squares = doubles_at(job[PARTIALS])")
        else:
            lines += [f"    {line}" for line in [self._scratch(), *self._kept()]]
        return "\n".join([*lines, *self._branches(self._update_of)])

    def _update_of(self, group: Group) -> list[str]:
        lines = []
        for step in group.steps:
            lines += [self._comment(step), *self._columns(group, step)]
            if not self.plan.clip:
                lines += self._gradient(step, "gradient", "gradient")
            lines += self._step(step)
        return lines

    def _gradients(self) -> str:
        head = f"def {self.prefix}weight_gradients(job: Longs, rows: int, chunk: int, me: int) -> None:"
        lines = [
            head,
            '    """One chunk of a step: the gradients of some weights, and the sums of their squares."""',
            "    mem, squares = memory_at(job[MEM]), doubles_at(job[PARTIALS])",
            *(f"    {line}" for line in [self._scratch(), *self._kept()]),
        ]
        return "\n".join([*lines, *self._branches(self._gradients_of)])

    def _gradients_of(self, group: Group) -> list[str]:
        lines = []
        for step in group.steps:
            target = f"{self._place(step)} + {self.capital}GRADIENTS"
            lines += [self._comment(step), *self._columns(group, step), *self._gradient(step, target, "gradient")]
            first = self.first_piece[step.weight.path]
            piece = str(first) if step.pieces == 1 else f"{first} + column // {step.cut}"
            lines.append(f"squares[{piece}] = sum_of_squares(mem, {self._size(step)}, {target})")
        return lines

    def _factors(self) -> str:
        lines = [
            f"def {self.prefix}clip_factors(job: Longs) -> None:",
            '    """What each gradient is multiplied by: it takes the place of the first sum of its squares."""',
            "    squares, hyper = doubles_at(job[PARTIALS]), doubles_at(job[HYPER])",
            f"    limit = hyper[{self.optimizer.place_of_limit()}]",
        ]
        steps = [step for group in self.plan.groups for step in group.steps]
        if self.plan.clip == "global_norm":
            lines += self._length(0, self.pieces)
            lines += [f"    squares[{self.first_piece[step.weight.path]}] = factor" for step in steps]
        else:
            for step in steps:
                first = self.first_piece[step.weight.path]
                lines += [f"    # {comment(step.weight.path)}", *self._length(first, first + step.pieces)]
                lines.append(f"    squares[{first}] = factor")
        return "\n".join(lines)

    def _length(self, first: int, stop: int) -> list[str]:
        return [
            "    total = 0.0",
            f"    for piece in range({first}, {stop}):",
            "        total += squares[piece]",
            "    factor = limit / max(math.sqrt(total), limit)",
        ]

    # ---- their parts -----------------------------------------------------------------------------------------------

    def _scratch(self) -> str:
        return f"gradient = {self.capital}SCRATCH + me * {self.capital}SCRATCH_SIZE"

    def _kept(self) -> list[str]:
        """Where the values lie that the gradients read."""
        assert self.plan.train is not None
        used = {b.name: b for b in self.plan.train.places.values() if b.kept}
        head = ["kept, capacity = job[KEPT], job[CAPACITY]"] if used else []
        return [*head, *(f"{b.name} = {kept_at(b)}" for b in used.values())]

    def _branches(self, lines_of: Callable[[Group], list[str]]) -> list[str]:
        """if chunk < ..: elif ..: else: over the groups."""
        lines = []
        for number, group in enumerate(self.plan.groups):
            indent = "    "
            if len(self.plan.groups) > 1:
                last = number == len(self.plan.groups) - 1
                test = f"{'elif' if number else 'if'} chunk < {group.first + group.chunks}:"
                lines.append(f"    {'else:' if last else test}")
                indent = "        "
            lines += [indent + line for line in "\n".join(lines_of(group)).split("\n")]
        return lines

    def _comment(self, step: WeightStep) -> str:
        shape = ", ".join(map(str, step.weight.shape))
        return f"# {comment(step.weight.path)} [{shape}]     {origin_of(step.terms[0], self.plan.program)}"

    def _columns(self, group: Group, step: WeightStep) -> list[str]:
        """Which columns of a cut matrix this chunk takes."""
        if step.pieces == 1:
            return []
        first = f"chunk * {step.cut}" if group.first == 0 else f"(chunk - {group.first}) * {step.cut}"
        if step.weight.columns % step.cut:
            columns = [f"column = {first}", f"columns = min({step.cut}, {step.weight.columns} - column)"]
        else:
            columns = [f"column, columns = {first}, {step.cut}"]
        return [*columns, f"weight = {step.weight.constant} + column * {step.weight.lines}"]

    def _place(self, step: WeightStep) -> str:
        """Where the piece at hand begins."""
        return step.weight.constant if step.pieces == 1 else "weight"

    def _size(self, step: WeightStep) -> str:
        """Numbers of the piece at hand."""
        return str(step.weight.size) if step.pieces == 1 else f"columns * {step.weight.lines}"

    def _gradient(self, step: WeightStep, target: str, scratch: str) -> list[str]:
        """The terms of a gradient, summed up in `target`; all but the first pass through the scratch."""
        lines = [self._term(step, step.terms[0], target)]
        spare = scratch if target != scratch else f"{scratch} + {self._size(step)}"
        for term in step.terms[1:]:
            lines += [self._term(step, term, spare), f"add_numbers(mem, {self._size(step)}, {spare}, {target})"]
        return lines

    def _term(self, step: WeightStep, term: Node, out: str) -> str:
        assert self.plan.train is not None
        places = [self.plan.train.places[name] for name in term.inputs]
        g = places[-1]
        at = g.name if step.pieces == 1 else f"{g.name} + column"
        columns = str(step.weight.columns) if step.pieces == 1 else "columns"
        rows = "rows" if g.layout.lines == 1 else f"rows * {g.layout.lines}"
        sides = [f"g={at}", f"g_row={g.layout.step}", f"out={out}"]
        if term.op == "bias_gradient":
            return filled("column_sums(", ["mem", f"rows={rows}", f"columns={columns}", *sides], used=8)
        x = places[0]
        sizes = ["mem", f"rows={rows}", f"inputs={step.weight.lines}", f"units={columns}"]
        arguments = [*sizes, f"x={x.name}", f"x_row={x.layout.step}", *sides]
        return filled("weight_gradient(", arguments, used=8)

    def _step(self, step: WeightStep) -> list[str]:
        """The optimizer's kernel on the piece at hand; then its transposed copy, if the backward pass reads one."""
        weight, place = step.weight, self._place(step)
        gradient = f"{place} + {self.capital}GRADIENTS" if self.plan.clip else "gradient"
        clip = f"squares[{self.first_piece[weight.path]}]" if self.plan.clip else ""
        arguments = [f"count={self._size(step)}", f"weight_at={place}", f"gradient_at={gradient}"]
        arguments += self.optimizer.arguments(place, self.capital, clip)
        lines = [filled(f"{self.optimizer.name}(", ["mem", *arguments], used=8)]
        if weight.path in self.plan.memory.transposed:
            whole = step.pieces == 1
            sizes = [f"inputs={weight.lines}", f"units={weight.columns}", f"first={'0' if whole else 'column'}"]
            sizes.append(f"columns={weight.columns if whole else 'columns'}")
            ends = [f"w={place}", f"out={weight.constant}_TRANSPOSED"]
            lines.append(filled("transpose_panels(", ["mem", *sizes, *ends], used=8))
        return lines
