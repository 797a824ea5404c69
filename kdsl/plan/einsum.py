"""Products of two tensors along letters: by the register tile where they are products of matrices, else as loop nests.

The letters fall into groups: of both operands and the result (one product for each), of the first and the result (lines of
the product), of the second and the result (its columns), and of both operands alone (what is summed up). Rows of the batch
are one more letter, `*`.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from math import prod

from kdsl.graph.graph import Node
from kdsl.graph.types import TensorType
from kdsl.plan.launch import Buffer
from kdsl.plan.layout import PANEL, Layout, padded
from kdsl.plan.loops import Access, Axis, Nest, Read, merged
from kdsl.plan.lowering import Lowering
from kdsl.plan.matrix_text import Matrices, matrices_text
from kdsl.plan.sweeps import Operands, copy, own_lines, sweep

ROWS = "*"
Sizes = dict[str, "int | str"]
FEW = 4  # lines, columns or terms of a product that are too few for the tile


@dataclass(frozen=True, slots=True)
class Side:
    """An operand or the result: its letters, where it begins, and its distance along each letter."""

    value: str
    letters: str
    at: str
    strides: dict[str, int]
    buffer: Buffer

    def along(self, letter: str) -> int:
        return self.strides.get(letter, 0)


def lower_einsum(lowering: Lowering, node: Node) -> None:
    equation = node.attribute("equation")
    assert isinstance(equation, str)
    inputs, result = equation.replace(" ", "").split("->")
    left, right = inputs.split(",")
    out_buffer = lowering.result(node, own_lines(lowering, node))
    x, y = _operand(lowering, node.inputs[0], left), _operand(lowering, node.inputs[1], right)
    view = lowering.view_of(out_buffer, node.type)
    out = _side(node.name, result, view.at, view.row if node.type.batched else None, view.strides, out_buffer)
    sizes: Sizes = {ROWS: 1 if lowering.rows == "1" else lowering.rows}
    for value, letters in zip(node.inputs, (left, right), strict=True):
        sizes |= zip(letters, lowering.type(value).shape, strict=True)
    if not _by_tile(lowering, node, x, y, out, sizes):
        _by_nest(lowering, node, x, y, out, sizes)


def _operand(lowering: Lowering, value: str, letters: str) -> Side:
    """A value without rows has no letter for them; a plain number lies in memory."""
    buffer = lowering.read(value) if lowering.type(value).shape == () else None
    view = lowering.view(value) if buffer is None else lowering.view_of(buffer, lowering.type(value))
    assert view.buffer is not None
    row = view.row if lowering.type(value).batched else None
    return _side(value, letters, view.at, row, view.strides, view.buffer)


def _side(value: str, letters: str, at: str, row: int | None, strides: tuple[int, ...], buffer: Buffer) -> Side:
    found = dict(zip(letters, strides, strict=True))
    return (
        Side(value, letters, at, found, buffer)
        if row is None
        else Side(value, ROWS + letters, at, {ROWS: row, **found}, buffer)
    )


def _by_nest(lowering: Lowering, node: Node, x: Side, y: Side, out: Side, sizes: Sizes) -> None:
    summed = [letter for letter in dict.fromkeys(x.letters + y.letters) if letter not in out.letters]
    letters = [*out.letters, *summed]
    axes = tuple(Axis(sizes[letter], letter in summed) for letter in letters)
    operands = Operands(buffers=[x.buffer, y.buffer])
    for name, side in (("x", x), ("y", y)):
        operands.reads.append(Read(name, Access(side.at, tuple(map(side.along, letters)))))
    product = Node("product", "multiply", ("x", "y"), (), TensorType("f32"), node.origin)
    target = Access(out.at, tuple(map(out.along, letters)))
    nest = Nest(axes, (), target, (product,), reduction="sum" if summed else None)
    sweep(lowering, node, "sum_of_products" if summed else "products_of", nest, operands, out.buffer)


# -- products of matrices ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Product:
    """out = x @ y for each of the `loops`; `column` is the letter of y's and the result's lines."""

    x: Side
    y: Side
    out: Side
    lines: list[str]
    terms: list[str]
    loops: list[str]
    column: str
    sizes: Sizes


def _by_tile(lowering: Lowering, node: Node, x: Side, y: Side, out: Side, sizes: Sizes) -> bool:
    """Launches the tile, where there are enough lines, columns and terms. -> whether it did."""
    product = _product(x, y, out, sizes)
    if product is None:
        return False
    matrices = _matrices(product)
    if matrices is None or not _ready(product):
        rest = [c for c in product.y.letters if c not in (*product.terms, product.column)]
        y = _turned(lowering, node, product.y, [*rest, *product.terms, product.column], sizes)
        product = replace(product, y=y)
        matrices = _matrices(product)
    if matrices is None:
        rest = [c for c in product.x.letters if c not in (*product.lines, *product.terms)]
        x = _turned(lowering, node, product.x, [*rest, *product.lines, *product.terms], sizes)
        product = replace(product, x=x)
        matrices = _matrices(product)
    if matrices is None:
        return False
    text, arguments = matrices_text(matrices)
    wanted = "_".join(["einsum", *(side.letters.replace(ROWS, "") for side in (product.x, product.y, product.out))])
    reads = (product.x.buffer, product.y.buffer)
    lowering.launch(lowering.outside.maps(wanted, text), node, reads, out.buffer, **arguments)
    return True


def _product(x: Side, y: Side, out: Side, sizes: Sizes) -> Product | None:
    column = out.letters[-1:]
    if column in x.letters and column not in y.letters:
        x, y = y, x
    if column in ("", ROWS) or column in x.letters:
        return None
    lines = [c for c in out.letters if c in x.letters and c not in y.letters]
    terms = [c for c in x.letters if c in y.letters and c not in out.letters]
    loops = [c for c in out.letters if c in y.letters and c != column]
    if min(_number(letters, sizes) for letters in (lines, terms, [column])) < FEW:
        return None
    return Product(x, y, out, lines, terms, loops, column, sizes)


def _number(letters: list[str], sizes: Sizes) -> int:
    """Elements of an axis made of these letters; rows count as many."""
    number = 1
    for letter in letters:
        size = sizes[letter]
        number *= size if isinstance(size, int) else PANEL
    return number


def _ready(product: Product) -> bool:
    """Whether y's columns lie without gaps, with zeros or whole panels behind the last one."""
    width, y = product.sizes[product.column], product.y
    assert isinstance(width, int)
    return y.along(product.column) == 1 and (width % PANEL == 0 or y.buffer.layout.width == width)


def _turned(lowering: Lowering, node: Node, side: Side, letters: list[str], sizes: Sizes) -> Side:
    """A copy of an operand whose lines lie along the last of `letters`; made once where the operand has no rows."""
    named = [letter for letter in letters if letter != ROWS]
    shape = tuple(size for size in map(sizes.__getitem__, named) if isinstance(size, int))
    with nullcontext() if ROWS in letters else lowering.at_home(lowering.graph[side.value]):
        buffer = lowering.buffer(f"{node.name}.{side.value}.turned", Layout(prod(shape[:-1]), shape[-1]))
        strides = buffer.layout.strides(shape)
        assert strides is not None
        row = buffer.layout.row if ROWS in letters else None
        made = _side(side.value, "".join(named), buffer.name, row, strides, buffer)
        operands = Operands(buffers=[side.buffer])
        operands.reads.append(Read("x", Access(side.at, tuple(map(side.along, made.letters)))))
        axes = tuple(Axis(sizes[letter]) for letter in made.letters)
        out = Access(buffer.name, tuple(map(made.along, made.letters)))
        copy(lowering, node, Nest(axes, (), out), operands, buffer)
    return made


def _matrices(product: Product) -> Matrices | None:
    """The products as loops over matrices; None where what is summed up takes more than two loops."""
    sides, sizes = (product.x, product.y, product.out), product.sizes

    def group(letters: list[str]) -> list[tuple[Axis, list[int]]]:
        found = merged([(Axis(sizes[c]), [side.along(c) for side in sides]) for c in letters])
        return sorted(found, key=lambda pair: _length(pair[0]), reverse=True) or [(Axis(1), [0, 0, 0])]

    height, *more = group(product.lines)
    depth, *again = group(product.terms)
    if len(again) > 1:
        return None
    width = sizes[product.column]
    assert isinstance(width, int)
    given = {name: str(axis.size) for name, (axis, _) in (("height", height), ("depth", depth))}
    given = {name: text for name, text in given.items() if not text.isdigit()}
    settings = {
        name: name if name in given else str(axis.size) for name, (axis, _) in (("height", height), ("depth", depth))
    }
    settings |= {"width": str(padded(width)), "x": "{x}", "x_line": str(height[1][0]), "x_step": str(depth[1][0])}
    settings |= {"y": "{y}", "y_step": str(depth[1][1]), "start": "zeros", "start_line": "0"}
    if again:
        settings |= {"start": "{out} if {loop} else zeros", "start_line": f"{height[1][2]} if {{loop}} else 0"}
    settings |= {"out": "{out}", "out_line": str(height[1][2]), "ones": "ones"}
    return Matrices(
        "product",
        _doc(product),
        [pair for pair in (*group(product.loops), *more, *again) if pair[0].size != 1],
        [(name, side.at) for name, side in zip(("x", "y", "out"), sides, strict=True)],
        list(settings.items()),
        {**given, "zeros": "ZEROS", "ones": "ONES"},
    )


def _doc(product: Product) -> str:
    """`out[r, h, q, k] = the sum over d of x[r, q, h, d] * y[r, k, h, d]`"""
    x, y, out = (", ".join(side.letters.replace(ROWS, "r")) for side in (product.x, product.y, product.out))
    terms = ", ".join(product.terms).replace(ROWS, "r")
    return f"out[{out}] = the sum over {terms} of x[{x}] * y[{y}]: products of matrices."


def _length(axis: Axis) -> int:
    return axis.size if isinstance(axis.size, int) else 1 << 40
