"""The update of the weights as text: which chunk takes which weight, and how far each goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from kdsl.codegen.clocks import Moved, Role
from kdsl.codegen.numba_ahead import AheadText
from kdsl.codegen.numba_emit import Emitter, filled
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.text import comment, indented, origin_of
from kdsl.graph.graph import Node
from kdsl.plan.launch import HERE, Buffer, Launch
from kdsl.plan.layout import PANEL
from kdsl.plan.model import squares_of
from kdsl.plan.update import Group, LateStep, WeightStep

LOCALS = (
    "job step rows chunk me mem hyper iteration gradient weight column columns line lines panel squares kept capacity"
)


class UpdateText:
    """`update`, and what some models need before it: `weight_gradients` for sums over the batch that other values are made
    of, and for all gradients where they are clipped by their norms; `finish_gradients` and `clip_factors` behind it."""

    def __init__(self, emitter: Emitter, optimizer: OptimizerText, ahead: AheadText) -> None:
        self.emitter, self.plan, self.optimizer, self.ahead = emitter, emitter.plan, optimizer, ahead
        self.prefix, self.capital = emitter.prefix, emitter.capital
        self.first_piece: dict[str, int] = {}
        pieces = 0
        for step in self.plan.weight_steps:
            self.first_piece[step.weight.path] = pieces
            pieces += squares_of(step)

    @property
    def late(self) -> bool:
        return bool(self.plan.late_groups)

    @property
    def finishes(self) -> bool:
        clipped = self.plan.clip and any(step.values for step in self.plan.weight_steps)
        return bool(self.emitter.made.finish.launches or clipped)

    @property
    def between(self) -> list[str]:
        """What follows the last chunk of `weight_gradients`."""
        calls = [f"{self.prefix}finish_gradients(job, rows)"] if self.finishes else []
        return calls + ([f"{self.prefix}clip_factors(job)"] if self.plan.clip else [])

    def texts(self) -> dict[str, str]:
        """The functions by name."""
        found = {"weight_gradients": self._gradients()} if self.late else {}
        found |= {"finish_gradients": self._finish()} if self.finishes else {}
        found |= {"clip_factors": self._factors()} if self.plan.clip else {}
        return {f"{self.prefix}{name}": text for name, text in (found | {"update": self._update()}).items()}

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
            steps = self.plan.weight_steps
            lines += [f"    {line}" for line in [self._scratch(), *self._kept(self._operands(steps))]]
        return "\n".join([*lines, *self._branches(self.plan.groups, self._update_of)])

    def _update_of(self, group: Group) -> list[str]:
        lines = []
        for step in group.steps:
            assert isinstance(step, WeightStep)
            lines += [self._comment(step), *self._piece(group, step)]
            gradient = f"{self._place(step)} + {self.capital}GRADIENTS"
            if not self.plan.clip and len(step.values) == 1 and not step.computes:
                gradient = self._value_at(step, step.values[0])
            elif not self.plan.clip:
                lines += [*self._terms(step, "gradient", "gradient"), *self._values(step, "gradient")]
                gradient = "gradient"
            if step.ahead is None:
                lines += [self._timed(step, line, "step") for line in self._step(step, gradient)]
            else:
                lines += [*self._by_panels(step), self.ahead.for_next_step(step.weight.path, group.first)]
        return lines

    def _by_panels(self, step: WeightStep) -> list[str]:
        """The step of some lines of a matrix in panels."""
        weight = step.weight
        lines = [f"weight = {weight.constant} + panel * {PANEL * weight.lines} + line * {PANEL}"]
        lines += [self._timed(step, line, "step") for line in self._step(step, f"gradient + panel * lines * {PANEL}")]
        return [f"for panel in range({weight.columns // PANEL}):", *(indented(line, 4) for line in lines)]

    def _gradients(self) -> str:
        head = f"def {self.prefix}weight_gradients(job: Longs, rows: int, chunk: int, me: int) -> None:"
        doc = (
            "the gradients of some weights, and the sums of their squares" if self.plan.clip else "sums over the batch"
        )
        steps = [step for group in self.plan.late_groups for step in group.steps]
        texts = self._operands([step for step in steps if isinstance(step, WeightStep)])
        for step in steps:
            if isinstance(step, LateStep):
                texts += [text for launch in step.part.launches for _, text in launch.arguments]
        pointers = "mem, squares = memory_at(job[MEM]), doubles_at(job[PARTIALS])"
        lines = [
            head,
            f'    """One chunk of a step: {doc}."""',
            f"    {pointers if self.plan.clip else 'mem = memory_at(job[MEM])'}",
            *(f"    {line}" for line in [*([self._scratch()] if self.plan.clip else []), *self._kept(texts)]),
        ]
        return "\n".join([*lines, *self._branches(self.plan.late_groups, self._gradients_of)])

    def _gradients_of(self, group: Group) -> list[str]:
        lines: list[str] = []
        for step in group.steps:
            if isinstance(step, LateStep):
                lines += self.emitter.calls(step.part.launches)
                continue
            target = f"{self._place(step)} + {self.capital}GRADIENTS"
            lines += [self._comment(step), *self._piece(group, step), *self._terms(step, target, "gradient")]
            if step.values:
                continue
            first = self.first_piece[step.weight.path]
            along = "column" if step.weight.panels else "line"
            piece = str(first) if step.pieces == 1 else f"{first} + {along} // {step.cut}"
            squares = f"squares[{piece}] = sum_of_squares(mem, {self._size(step)}, {target})"
            lines.append(self._timed(step, squares, "step"))
        return lines

    def _finish(self) -> str:
        """Serial: values without rows that the sums above go into, and what they add to gradients that are clipped."""
        part = self.emitter.made.finish
        steps = [step for step in self.plan.weight_steps if step.values] if self.plan.clip else []
        texts = [text for launch in part.launches for text in (launch.value, *(v for _, v in launch.arguments))]
        texts += [b.name for step in steps for b in step.values]
        lines = [
            f"def {self.prefix}finish_gradients(job: Longs, rows: int) -> None:",
            '    """What gradients of weights are made of besides sums over the batch."""',
            "    mem = memory_at(job[MEM])"
            if not self.plan.clip
            else "    mem, squares = memory_at(job[MEM]), doubles_at(job[PARTIALS])",
        ]
        body = [*self._kept(texts), *self.emitter.calls(part.launches, me="0")]
        for step in steps:
            target, weight = f"{step.weight.constant} + {self.capital}GRADIENTS", step.weight
            body.append(self._comment(step))
            for number, value in enumerate(step.values):
                kernel = "add_numbers" if step.computes or number else "copy_numbers"
                added = f"{kernel}(mem, {weight.size}, {value.name}, {target})"
                body.append(self._timed(step, added, "step", me="0"))
            first = self.first_piece[weight.path]
            squares = f"squares[{first}] = sum_of_squares(mem, {weight.size}, {target})"
            body.append(self._timed(step, squares, "step", me="0"))
        return "\n".join([*lines, *("\n".join(f"    {line}" for line in text.split("\n")) for text in body)])

    def _factors(self) -> str:
        lines = [
            f"def {self.prefix}clip_factors(job: Longs) -> None:",
            '    """What each gradient is multiplied by: it takes the place of the first sum of its squares."""',
            "    squares, hyper = doubles_at(job[PARTIALS]), doubles_at(job[HYPER])",
            f"    limit = hyper[{self.optimizer.place_of_limit()}]",
        ]
        steps = self.plan.weight_steps
        if self.plan.clip == "global_norm":
            lines += self._length(0, self.plan.pieces)
            lines += [f"    squares[{self.first_piece[step.weight.path]}] = factor" for step in steps]
        else:
            for step in steps:
                first = self.first_piece[step.weight.path]
                lines += [f"    # {comment(step.weight.path)}", *self._length(first, first + squares_of(step))]
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

    def _operands(self, steps: Iterable[WeightStep]) -> list[str]:
        """Names of what the gradients read."""
        assert self.plan.train is not None
        places = self.plan.train.places
        found = [places[name].name for step in steps for term in step.terms for name in term.inputs]
        found += [text for step in steps for launch in step.own for _, text in launch.arguments]
        return [*found, *(b.name for step in steps for b in step.values)]

    def _kept(self, names: Sequence[str]) -> list[str]:
        """Where the values lie that are named."""
        return [
            line for line in self.emitter.locals_of(names, memory=False, start="") if not line.startswith(("#", "mem"))
        ]

    def _branches(self, groups: Sequence[Group], lines_of: Callable[[Group], list[str]]) -> list[str]:
        """if chunk < ..: elif ..: else: over the groups."""
        lines = []
        for number, group in enumerate(groups):
            indent = "    "
            if len(groups) > 1:
                last = number == len(groups) - 1
                test = f"{'elif' if number else 'if'} chunk < {group.first + group.chunks}:"
                lines.append(f"    {'else:' if last else test}")
                indent = "        "
            lines += [indent + line for line in "\n".join(lines_of(group)).split("\n")]
        return lines

    def _comment(self, step: WeightStep) -> str:
        shape = ", ".join(map(str, step.weight.shape))
        return f"# {comment(step.weight.path)} [{shape}]     {origin_of(step.origin, self.plan.program)}"

    def _piece(self, group: Group, step: WeightStep) -> list[str]:
        """Which columns of a cut matrix in panels this chunk takes, or which lines of what is cut by lines."""
        if step.pieces == 1:
            return []
        weight, first = step.weight, f"chunk * {step.cut}"
        first = first if group.first == 0 else f"(chunk - {group.first}) * {step.cut}"
        name, whole, other = ("column", weight.columns, weight.lines)
        if step.by_lines:
            name, whole, other = ("line", weight.lines, weight.columns)
        if whole % step.cut:
            piece = [f"{name} = {first}", f"{name}s = min({step.cut}, {whole} - {name})"]
        else:
            piece = [f"{name}, {name}s = {first}, {step.cut}"]
        return piece if step.ahead else [*piece, f"weight = {weight.constant} + {name} * {other}"]

    def _place(self, step: WeightStep) -> str:
        """Where the piece at hand begins."""
        return step.weight.constant if step.pieces == 1 else "weight"

    def _size(self, step: WeightStep) -> str:
        """Numbers of the piece at hand."""
        if step.pieces == 1:
            return str(step.weight.size)
        return f"lines * {step.weight.columns}" if step.by_lines else f"columns * {step.weight.lines}"

    def _terms(self, step: WeightStep, target: str, scratch: str) -> list[str]:
        """What a gradient is the sum of, added up in `target`; all but the first pass through the scratch."""
        spare = scratch if target != scratch else f"{scratch} + {self._size(step)}"
        lines: list[str] = []
        terms = [(term, partial(self._term, step, term)) for term in step.terms]
        terms += [(launch.node, partial(self._own, step, launch)) for launch in step.own]
        for number, (node, term) in enumerate(terms):
            lines.append(self._timed(step, term(spare if number else target), "gradient", node))
            if number:
                added = f"add_numbers(mem, {self._size(step)}, {spare}, {target})"
                lines.append(self._timed(step, added, "step"))
        return lines

    def _timed(self, step: WeightStep, text: str, role: Role, node: Node | None = None, me: str = "me") -> str:
        """A call with clocks around it, where they are wanted."""
        clocks, size, places = self.emitter.clocks, step.weight.size, self.emitter.made.places
        if clocks is None:
            return text
        moved = Moved(whole=2 * size)
        if node is not None:
            read = self.emitter.moved(places[name].name for name in node.inputs if name in places)
            moved = Moved(read.row, read.whole + size)
        elif text.startswith(f"{self.optimizer.name}("):
            moved = Moved(whole=(3 + 2 * len(self.plan.memory.slots)) * size)
        return clocks.around(text, node or step.origin, me, moved, role, step.weight.path)

    def _own(self, step: WeightStep, launch: Launch, out: str) -> str:
        """A map of whole weights, on the piece at hand."""
        weight, whole, texts = step.weight, step.pieces == 1, {HERE: out}
        if not whole:
            texts |= {p.constant: f"{p.constant} + line * {weight.columns}" for p in self.plan.memory.weights.values()}
        arguments = [f"{key}={texts.get(value, value)}" for key, value in launch.arguments if key != "rows"]
        rows = str(weight.lines) if whole else "lines"
        return filled(f"{launch.kernel}(", ["mem", f"rows={rows}", *arguments], used=8)

    def _values(self, step: WeightStep, target: str) -> list[str]:
        """Adds the values that a gradient has besides."""
        lines = []
        for number, value in enumerate(step.values):
            kernel = "add_numbers" if step.computes or number else "copy_numbers"
            added = f"{kernel}(mem, {self._size(step)}, {self._value_at(step, value)}, {target})"
            lines.append(self._timed(step, added, "step"))
        return lines

    def _value_at(self, step: WeightStep, value: Buffer) -> str:
        return value.name if step.pieces == 1 else f"{value.name} + line * {step.weight.columns}"

    def _term(self, step: WeightStep, term: Node, out: str) -> str:
        assert self.plan.train is not None
        x, g = self.plan.train.places[term.inputs[0]], self.plan.train.places[term.inputs[-1]]
        weight, whole = step.weight, step.pieces == 1
        by_columns = not (whole or step.by_lines)
        g_at = f"{g.name} + column" if by_columns else g.name
        columns = "columns" if by_columns else str(weight.columns)
        rows = "rows" if g.layout.lines == 1 else f"rows * {g.layout.lines}"
        sides = [f"g={g_at}", f"g_row={g.layout.step}", f"out={out}"]
        if term.op == "bias_gradient":
            return filled("column_sums(", ["mem", f"rows={rows}", f"columns={columns}", *sides], used=8)
        if term.op == "gather_gradient":
            return self._gathered(step, term, out)
        x_at = f"{x.name} + line" if step.by_lines and not whole else x.name
        inputs = "lines" if step.by_lines and not whole else str(weight.lines)
        steps = [16, f"{inputs} * 16" if step.ahead else 16 * weight.lines] if weight.panels else [weight.columns, 16]
        sizes = ["mem", f"rows={rows}", f"inputs={inputs}", f"units={columns}"]
        arguments = [
            *sizes,
            f"x={x_at}",
            f"x_row={x.layout.step}",
            *sides,
            f"out_row={steps[0]}",
            f"out_panel={steps[1]}",
        ]
        return filled("weight_gradient(", arguments, used=8)

    def _gathered(self, step: WeightStep, term: Node, out: str) -> str:
        """The gradient of a table whose lines were chosen by indices."""
        assert self.plan.train is not None
        g, index = (self.plan.train.places[name] for name in term.inputs)
        weight, whole = step.weight, step.pieces == 1
        sizes = ["rows=rows", f"positions={g.layout.lines}", f"columns={weight.columns}"]
        sides = [f"g={g.name}", f"g_row={g.layout.row}", f"g_step={g.layout.step}"]
        sides += [f"index={index.name}", f"index_row={index.layout.row}", f"limit={weight.lines}"]
        piece = ["first=0", f"lines={weight.lines}"] if whole else ["first=line", "lines=lines"]
        return filled("table_gradient(", ["mem", *sizes, *sides, *piece, f"out={out}"], used=8)

    def _step(self, step: WeightStep, gradient: str) -> list[str]:
        """The optimizer's kernel on the piece at hand; then its copies, if products read them."""
        weight, place = step.weight, self._place(step)
        clip = f"squares[{self.first_piece[weight.path]}]" if self.plan.clip else ""
        count = self._size(step) if step.ahead is None else f"lines * {PANEL}"
        arguments = [f"count={count}", f"weight_at={place}", f"gradient_at={gradient}"]
        arguments += self.optimizer.arguments(weight.path, place, self.capital, clip)
        lines = [filled(f"{self.optimizer.name}(", ["mem", *arguments], used=8)]
        whole = step.pieces == 1
        if weight.panels and weight.path in self.plan.memory.transposed:
            sizes = [f"inputs={weight.lines}", f"units={weight.columns}", f"first={'0' if whole else 'column'}"]
            sizes.append(f"columns={weight.columns if whole else 'columns'}")
            ends = [f"w={place}", f"out={weight.constant}_TRANSPOSED"]
            lines.append(filled("transpose_panels(", ["mem", *sizes, *ends], used=8))
        if not weight.panels:
            sizes = [f"inputs={weight.lines}", f"units={weight.columns}", f"first={'0' if whole else 'line'}"]
            sizes.append(f"lines={weight.lines if whole else 'lines'}")
            copies = [("panels_of_lines", "_PANELS")] if weight.path in self.plan.memory.panels else []
            copies += [("transposed_of_lines", "_TRANSPOSED")] if weight.path in self.plan.memory.transposed else []
            for kernel, suffix in copies:
                ends = [f"w={place}", f"out={weight.constant}{suffix}"]
                lines.append(filled(f"{kernel}(", ["mem", *sizes, *ends], used=8))
        return lines
