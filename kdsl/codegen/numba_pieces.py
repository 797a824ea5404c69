"""The gradients of weights as text, each for the piece of a weight that a chunk takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from kdsl.codegen.chunks import by_chunks, counted_from, run_of
from kdsl.codegen.clocks import Moved, Role
from kdsl.codegen.numba_emit import Emitter, filled
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.text import comment, indented, origin_of
from kdsl.graph.graph import Node
from kdsl.plan.ahead import share_of
from kdsl.plan.launch import HERE, Buffer, Launch
from kdsl.plan.update import Group, WeightStep


class PiecesText:
    """What the functions of an update have in common: which piece of a weight a chunk takes, and its gradient."""

    def __init__(self, emitter: Emitter, optimizer: OptimizerText) -> None:
        self.emitter, self.plan, self.optimizer = emitter, emitter.plan, optimizer
        self.prefix, self.capital = emitter.prefix, emitter.capital

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
        """What each chunk of the groups does."""
        parts = [(group.chunks, "\n".join(lines_of(group)).split("\n")) for group in groups]
        return [indented(line, 4) for line in by_chunks(parts)]

    def _comment(self, step: WeightStep) -> str:
        shape = ", ".join(map(str, step.weight.shape))
        return f"# {comment(step.weight.path)} [{shape}]     {origin_of(step.origin, self.plan.program)}"

    def _piece(self, group: Group, step: WeightStep) -> list[str]:
        """Which columns of a cut matrix in panels this chunk takes, or which lines of what is cut by lines."""
        if step.pieces == 1:
            return []
        weight, number = step.weight, counted_from(group.first)
        if step.ahead is not None:
            return [f"share = {number}", *run_of("line", "share", step.cut, weight.lines)]
        name, whole, other = ("column", weight.columns, weight.lines)
        if step.by_lines:
            name, whole, other = ("line", weight.lines, weight.columns)
        return [*run_of(name, number, step.cut, whole), f"weight = {weight.constant} + {name} * {other}"]

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
        x_at = share_of(x) if step.ahead else x_at
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
