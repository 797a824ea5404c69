"""Kernels that call another one for many matrices: loops with the model's own sizes and distances, so that a step names
nothing but the operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdsl.plan.kernel_text import KernelText
from kdsl.plan.loops import Axis

LOOPS = "rijklmn"


@dataclass(frozen=True, slots=True)
class Matrices:
    """One call of `kernel` for each place of the loops.

    loops      (axis, distance of each operand along it), from the outermost to the innermost
    places     (operand, where it begins)
    settings   (parameter, text) of the inner kernel; `{x}` stands for an operand's place, `{loop}` for the last variable
    given      what the settings name besides: parameter -> text at the launch
    """

    kernel: str
    doc: str
    loops: Sequence[tuple[Axis, Sequence[int]]]
    places: Sequence[tuple[str, str]]
    settings: Sequence[tuple[str, str]]
    given: Mapping[str, str]


def matrices_text(matrices: Matrices) -> tuple[KernelText, dict[str, str]]:
    """The kernel, and the arguments of its launch."""
    arguments: dict[str, str] = {}
    lines, depth = [], 1
    for (axis, _), loop in zip(matrices.loops, LOOPS, strict=False):
        size = str(axis.size)
        if not isinstance(axis.size, int):
            size = "rows" if loop == "r" else f"size_{loop}"
            arguments[size] = str(axis.size)
        lines.append(f"{'    ' * depth}for {loop} in range({size}):")
        depth += 1
    arguments |= {**dict(matrices.places), **matrices.given}
    addresses = {"loop": LOOPS[max(0, len(matrices.loops) - 1)]}
    for number, (name, _) in enumerate(matrices.places):
        steps = [f"{v} * {columns[number]}" for v, (_, columns) in zip(LOOPS, matrices.loops, strict=False)]
        addresses[name] = " + ".join([name, *(step for step in steps if not step.endswith(" * 0"))])
    inside = [f"{key}={text.format_map(addresses)}," for key, text in matrices.settings]
    call = [f"{matrices.kernel}(", "    mem,", *(f"    {line}" for line in inside), ")"]
    lines += [f"{'    ' * depth}{line}" for line in call]
    parameters = ("mem: Memory", *(f"{name}: int" for name in arguments))
    return KernelText(parameters, matrices.doc, tuple(lines)), arguments
