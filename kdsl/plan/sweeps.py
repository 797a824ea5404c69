"""Launches of loop nests: operands as the lowering sees them, and the result in lines of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.plan.expression import RANDOM, streams_of
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, in_panels, last_axis
from kdsl.plan.loop_text import nest_text
from kdsl.plan.loops import Access, Axis, Nest, Read, across_axis, simplified
from kdsl.plan.lowering import Lowering
from kdsl.plan.matrix_text import Matrices, matrices_text
from kdsl.plan.places import View

FEW = 4  # numbers of a line that are too few for transposing blocks


@dataclass(slots=True)
class Operands:
    """The operands of a nest while they are collected; a plain number needs no memory."""

    reads: list[Read] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    constants: dict[str, float] = field(default_factory=dict)
    buffers: list[Buffer] = field(default_factory=list)

    def add(self, value: str, view: View, strides: Sequence[int]) -> None:
        """The value, with its distances along the nest's axes behind the rows."""
        literal = _literal(view.number)
        if view.number is None:
            self.reads.append(Read(value, self.access(view, strides)))
        elif literal is not None:
            self.constants[value] = literal
        else:
            self.numbers.append((value, view.number))
        if view.number is not None and view.buffer is not None:
            self.buffers.append(view.buffer)

    def access(self, view: View, strides: Sequence[int], at: int = 0) -> Access:
        """The value's numbers, from `at` behind the first one on."""
        if view.buffer is not None:
            self.buffers.append(view.buffer)
        return Access(f"{view.at} + {at}" if at else view.at, (view.row, *strides))


def _literal(number: str | None) -> float | None:
    try:
        return None if number is None else float(number)
    except ValueError:
        return None


def rows_axis(lowering: Lowering, reduced: bool = False) -> Axis:
    """The rows of a block, of the batch, or the single one of a value without rows."""
    return Axis(1 if lowering.rows == "1" else lowering.rows, reduced)


def sweep(lowering: Lowering, node: Node, wanted: str, nest: Nest, operands: Operands, out: Buffer) -> None:
    """Launches the kernel for a nest; one called like `wanted`, if there is none with its text."""
    if not nest.body and operands.constants:  # what is copied needs a name
        numbers = [*operands.numbers, *((value, repr(number)) for value, number in operands.constants.items())]
        operands = replace(operands, numbers=numbers, constants={})
    nest = replace(nest, reads=tuple(operands.reads), numbers=tuple(operands.numbers), constants=operands.constants)
    if across_axis(simplified(nest)) is not None:
        clear(lowering, node, out)
    text, arguments = nest_text(nest)
    kernel = lowering.outside.maps(wanted, text)
    lowering.launch(kernel, node, tuple(operands.buffers), out, **arguments, streams_=tuple(streams_of(nest.body)))


def copy(lowering: Lowering, node: Node, nest: Nest, operands: Operands, out: Buffer) -> None:
    """One operand into the result. Where both lie without gaps, but along different axes, matrices are transposed."""
    turned = _turned(nest, operands)
    if turned is None:
        sweep(lowering, node, "copy" if nest.tail is None else "copy_part", nest, operands, out)
        return
    text, arguments = matrices_text(turned)
    lowering.launch(lowering.outside.maps("turn", text), node, tuple(operands.buffers), out, **arguments)


def _turned(nest: Nest, operands: Operands) -> Matrices | None:
    """The nest as matrices to be transposed, where it is that."""
    nest = simplified(replace(nest, reads=tuple(operands.reads)))
    source = nest.reads[0].access if len(nest.reads) == 1 and nest.reads[0].index is None else None
    if source is None or nest.tail is not None or not nest.axes or 1 not in source.strides:
        return None
    line, across = len(nest.axes) - 1, source.strides.index(1)
    height, width = nest.axes[line].size, nest.axes[across].size
    if line == across or nest.out.strides[line] != 1 or source.strides[line] == 0:
        return None
    if any(not isinstance(size, int) or size < FEW for size in (height, width)):
        return None
    others = [n for n in range(len(nest.axes)) if n not in (line, across)]
    settings = {"height": str(height), "width": str(width), "x": "{x}", "x_line": str(source.strides[line])}
    settings |= {"out": "{out}", "out_line": str(nest.out.strides[across])}
    return Matrices(
        "turn_matrix",
        f"Matrices [{height}, {width}] transposed.",
        [(nest.axes[n], (source.strides[n], nest.out.strides[n])) for n in others],
        (("x", source.at), ("out", nest.out.at)),
        list(settings.items()),
        {},
    )


def clear(lowering: Lowering, node: Node, out: Buffer) -> None:
    """Zeros in the padding, before a kernel that writes the numbers only."""
    if out.layout.width % PANEL:
        rows = lowering.rows if node.type.batched else "1"
        lowering.launch("clear", node, (), out, rows=rows, size=out.layout.row, out=out.name)


def own_lines(lowering: Lowering, node: Node) -> Layout | None:
    """Lines that a nest can write: those that the users of the value ask for, else the last axis as the line."""
    if not node.type.batched:
        return None
    asked = lowering.layouts[node.name]
    return asked if in_panels(node.type, asked) else last_axis(node.type)


def broadcast_strides(view: View, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A value's distances along the axes of a shape that it is broadcast to: 0 where it is repeated."""
    missing = len(shape) - len(view.shape)
    own = [0 if size == 1 else stride for size, stride in zip(view.shape, view.strides, strict=True)]
    return (*[0] * missing, *own)


def elements_of(type: TensorType, body: Sequence[Node]) -> Access | None:
    """The numbers of the elements in an array without padding, where an op of the body draws random numbers."""
    if not any(part.op in RANDOM for part in body):
        return None
    strides = [prod(type.shape[axis + 1 :]) for axis in range(type.rank)]
    return Access(f"start * {type.size}", (type.size, *strides))
