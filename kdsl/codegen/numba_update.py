"""The update of the weights as text: which chunk takes which weight, and how far each goes."""

from __future__ import annotations

from kdsl.codegen.numba_ahead import AheadText
from kdsl.codegen.numba_emit import Emitter, filled
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.numba_pieces import PiecesText
from kdsl.codegen.text import comment, indented
from kdsl.plan.layout import PANEL
from kdsl.plan.model import squares_of
from kdsl.plan.update import Group, LateStep, WeightStep

LOCALS = "job step rows chunk me mem hyper iteration gradient weight column columns line lines panel share squares kept capacity"


class UpdateText(PiecesText):
    """`update`, and what some models need before it: `weight_gradients` for sums over the batch that other values are made
    of, and for all gradients where they are clipped by their norms; `finish_gradients` and `clip_factors` behind it."""

    def __init__(self, emitter: Emitter, optimizer: OptimizerText, ahead: AheadText) -> None:
        super().__init__(emitter, optimizer)
        self.ahead = ahead
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
                lines += [*self._by_panels(step), self.ahead.for_next_step(step.weight.path)]
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
