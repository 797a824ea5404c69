"""Loop nests as text: a kernel with sizes and distances as parameters, so that nests of one text are one kernel.

One axis becomes the registers' lanes: that of the result's lines, or one that is summed up and lies without gaps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kdsl.plan.expression import call_of, statement, streams_of
from kdsl.plan.kernel_text import KernelText, operand_name
from kdsl.plan.loops import Access, Nest, Read, across_axis, simplified, with_line

KEPT, REDUCED = "rijklmn", "pqstuvw"  # loop variables
MOST = 14  # parameters: a call with more keywords takes numba's front end many times as long
SHORT, LONG = 4, 16  # statements of a sum that are written four times; steps that are worth it
FOURS = "total = total_1 = total_2 = total_3 = spread(0.0)"
SUM_OF_FOURS = "((total + total_1) + (total_2 + total_3))"
STARTS = {"sum": "0.0", "mean": "0.0", "max": "-math.inf", "min": "math.inf"}
STEPS = {"sum": "{} + {}", "mean": "{} + {}", "max": "maximum({}, {})", "min": "minimum({}, {})"}
ENDS = {"sum": "lane_sum", "mean": "lane_sum", "max": "lane_max", "min": "lane_min"}
NOUNS = {"sum": "sum", "mean": "mean", "max": "largest", "min": "smallest"}
NOUNS |= {"argmax": "place of the largest", "argmin": "place of the smallest"}


@dataclass(slots=True)
class _Writer:
    """A kernel's parameters and the arguments of one launch, while its lines are written."""

    loops: dict[int, str]
    lanes: int
    parameters: list[str] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)

    def parameter(self, name: str, argument: object, kind: str = "int") -> str:
        self.parameters.append(f"{name}: {kind}")
        self.arguments[name] = str(argument)
        return name

    def address(self, name: str, access: Access, lanes: bool = True) -> str:
        """`x + r * x_row + c`"""
        parts = [self.parameter(name, access.at)]
        for axis, loop in self.loops.items():
            stride = access.strides[axis]
            if stride and axis != self.lanes:
                parts.append(f"{loop} * {self.parameter(_distance(name, loop), stride)}")
        if lanes and access.strides[self.lanes]:
            step = access.strides[self.lanes]
            parts.append("c" if step == 1 else f"c * {self.parameter(f'{name}_c', step)}")
        return " + ".join(parts)


def _distance(name: str, loop: str) -> str:
    return f"{name}_row" if loop == "r" else f"{name}_{loop}"


def nest_text(nest: Nest) -> tuple[KernelText, dict[str, str]]:
    """The kernel for a nest, and the arguments of its launch."""
    nest = simplified(nest)
    across = across_axis(nest)
    nest = with_line(nest) if across is None else nest
    kept = [n for n, axis in enumerate(nest.axes) if not axis.reduced]
    reduced = [n for n, axis in enumerate(nest.axes) if axis.reduced]
    lanes = kept[-1] if across is None else across
    loops = {n: KEPT[number] for number, n in enumerate(kept) if n != lanes}
    loops |= {n: REDUCED[number] for number, n in enumerate(reduced) if n != lanes}
    writer = _Writer(loops, lanes)
    for n, loop in loops.items():
        writer.parameter("rows" if loop == "r" else f"size_{loop}", nest.axes[n].size)
    writer.parameter("width", nest.axes[lanes].size)
    if nest.tail is not None and across is None:
        writer.parameter("wide", f"{nest.axes[lanes].size} + {nest.tail}" if nest.tail else nest.axes[lanes].size)
    before, reads, names = _reads(nest, writer)
    first, texts = _numbers(nest, writer, names)
    steps, value = _statements(nest, writer, texts, next(iter(names), ""))
    outer = [loops[n] for n in kept if n in loops]
    inner = [loops[n] for n in reduced if n in loops]
    lines = _along if across is None else _across
    body = lines(nest, writer, _Parts(outer, inner, before, reads, steps, value))
    fixed = _fixed(writer)
    doc = _doc(nest, names, loops, lanes)
    return KernelText(("mem: Memory", *writer.parameters), doc, (*fixed, *first, *body)), writer.arguments


def _fixed(writer: _Writer) -> list[str]:
    """Statements that set sizes and distances where there are too many for the parameters of a call."""
    if len(writer.parameters) <= MOST:
        return []
    known = [name for name, text in writer.arguments.items() if text.lstrip("-").isdigit()]
    texts = [writer.arguments.pop(name) for name in known]
    writer.parameters = [text for text in writer.parameters if text.split(":")[0] not in known]
    chunks = [slice(n, n + 8) for n in range(0, len(known), 8)]
    return [f"    {', '.join(known[chunk])} = {', '.join(texts[chunk])}" for chunk in chunks]


def _numbers(nest: Nest, writer: _Writer, names: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Statements that spread numbers over the lanes, and the text of every operand."""
    first = []
    for value, text in nest.numbers:
        name = names[value] = operand_name(len(names))
        first.append(f"    {name}_ = spread({writer.parameter(name, text, 'float')})")
    return first, {v: f"{name}_" for v, name in names.items()} | {v: repr(x) for v, x in nest.constants.items()}


def _statements(nest: Nest, writer: _Writer, texts: dict[str, str], operand: str) -> tuple[list[str], str]:
    """One statement for each op of the body, and the value's text. An empty body hands the operand on."""
    keys = {stream: f"key_{number}" for number, stream in enumerate(streams_of(nest.body))}
    for stream, key in keys.items():
        writer.parameter(key, f"key_{stream}")
    place = writer.address("element", nest.elements) if nest.elements else ""
    texts = {**texts, "": texts.get(operand, "")}
    steps = []
    for number, node in enumerate(nest.body):
        operands = [texts[name] for name in node.inputs if name in texts]
        steps.append(f"v{number} = {statement(node, operands, keys, place)}")
        texts[node.name] = f"v{number}"
    return steps, texts[nest.body[-1].name if nest.body else operand]


def _reads(nest: Nest, writer: _Writer) -> tuple[list[str], list[str], dict[str, str]]:
    """Statements before the loop over the lanes, those in it, and the operands' names."""
    before: list[str] = []
    inside: list[str] = []
    names: dict[str, str] = {}
    for read in nest.reads:
        name = names[read.value] = operand_name(len(names))
        if read.access is None:
            inside.append(f"{name}_ = lane_places(c)")
            continue
        if read.index is not None:
            _indexed(read, name, read.access, read.index, writer, before, inside)
            continue
        address, step = writer.address(name, read.access), read.access.strides[writer.lanes]
        if step == 0:
            before.append(f"{name}_ = spread(mem[{address}])")
        elif step == 1:
            inside.append(f"{name}_ = load(mem, {address})")
        else:
            inside.append(f"{name}_ = load_apart(mem, {address}, {name}_c, width - c)")
    return before, inside, names


def _indexed(
    read: Read, name: str, access: Access, index: Access, writer: _Writer, before: list[str], inside: list[str]
) -> None:
    """An operand with a place that is looked up: once for a line, or for each lane."""
    at = writer.address(f"{name}_index", index)
    address = writer.address(name, access)
    step, limit = writer.parameter(f"{name}_step", read.step), writer.parameter(f"{name}_limit", read.limit)
    if index.strides[writer.lanes]:
        inside.append(f"{name}_ = load_chosen(mem, {address}, load(mem, {at}), {limit}, {step}, width - c)")
        return
    before.append(f"{name}_at = place_in(mem[{at}], {limit}) * {step}")
    if access.strides[writer.lanes] == 0:
        before.append(f"{name}_ = spread(mem[{address} + {name}_at])")
    elif access.strides[writer.lanes] == 1:
        inside.append(f"{name}_ = load(mem, {address} + {name}_at)")
    else:
        inside.append(f"{name}_ = load_apart(mem, {address} + {name}_at, {name}_c, width - c)")


@dataclass(frozen=True, slots=True)
class _Parts:
    outer: list[str]
    inner: list[str]
    before: list[str]
    reads: list[str]
    steps: list[str]
    value: str


def _opened(loops: Sequence[str], depth: int) -> list[str]:
    """`for` lines over these variables."""
    return [
        f"{'    ' * (depth + n)}for {v} in range({'rows' if v == 'r' else f'size_{v}'}):" for n, v in enumerate(loops)
    ]


def _at(lines: Sequence[str], depth: int) -> list[str]:
    return [f"{'    ' * depth}{line}" for line in lines]


def _along(nest: Nest, writer: _Writer, parts: _Parts) -> list[str]:
    """The lanes lie along the result's lines."""
    lines = _opened(parts.outer, 1)
    depth = 1 + len(parts.outer)
    end = "padded(width)" if nest.tail is None else "wide"
    head = f"for c in range(0, {end}, LANES):"
    value = parts.value
    if nest.reduction is None:
        lines += _at([*parts.before, head], depth)
        lines += _at([*parts.reads, *parts.steps], depth + 1)
    else:
        start, steps, value = _total(nest, writer, parts)
        body = [*parts.before, *parts.reads, *parts.steps, *steps]
        lines += _at([head], depth)
        if _by_fours(nest, writer, body):
            value = value.replace("total", SUM_OF_FOURS)
            lines += _at([FOURS, *_opened(parts.inner[:-1], 0)], depth + 1)
            lines += _at(_fours(parts.inner[-1], body), depth + len(parts.inner))
        else:
            lines += _at(start, depth + 1) + _opened(parts.inner, depth + 1)
            lines += _at(body, depth + 1 + len(parts.inner))
    result = writer.address("out", nest.out)
    value = f"head({value}, width - c, 0.0)"
    store = f"store(mem, {result}, {value})" if nest.tail is None else f"store_head(mem, {result}, {value}, wide - c)"
    return [*lines, *_at([store], depth + 1)]


def _by_fours(nest: Nest, writer: _Writer, body: Sequence[str]) -> bool:
    """Whether four sums side by side, which do not wait for each other, are worth their text."""
    sizes = [axis.size for n, axis in enumerate(nest.axes) if axis.reduced and n in writer.loops][-1:]
    many = [size for size in sizes if isinstance(size, str) or size >= LONG]
    return nest.reduction in ("sum", "mean") and bool(many) and len(body) <= SHORT


def _fours(loop: str, body: Sequence[str]) -> list[str]:
    """The innermost loop of a sum, four steps at a time, then what is left."""
    lines = [f"for {loop} in range(0, size_{loop} - 3, 4):", *_at(body, 1)]
    for step in (1, 2, 3):
        moved = [re.sub(rf"\b{loop}\b", f"({loop} + {step})", line) for line in body]
        lines += _at([re.sub(r"\btotal\b", f"total_{step}", line) for line in moved], 1)
    return [*lines, f"for {loop} in range(size_{loop} // 4 * 4, size_{loop}):", *_at(body, 1)]


def _total(nest: Nest, writer: _Writer, parts: _Parts) -> tuple[list[str], list[str], str]:
    """Statements before the loops of a reduction, those in them, and the result's text."""
    if nest.reduction in ("argmax", "argmin"):
        value, place = parts.value, parts.inner[0] if parts.inner else "0"
        order = ">" if nest.reduction == "argmax" else "<"
        steps = [
            f"better = ({value} {order} best) | (({value} != {value}) & (best == best))",
            f"best = where(better, {value}, best)",
            f"chosen = where(better, {place}, chosen)",
        ]
        return [f"best = spread({STARTS[nest.reduction[3:]]})", "chosen = spread(0.0)"], steps, "chosen"
    assert nest.reduction is not None
    step = f"total = {STEPS[nest.reduction].format('total', parts.value)}"
    mean = nest.reduction == "mean"
    value = f"total / {writer.parameter('divisor', _divisor(nest), 'float')}" if mean else "total"
    return [f"total = spread({STARTS[nest.reduction]})"], [step], value


def _across(nest: Nest, writer: _Writer, parts: _Parts) -> list[str]:
    """The lanes lie along what is summed up: they are added at the end."""
    assert nest.reduction is not None
    start = STARTS[nest.reduction]
    lines = _opened(parts.outer, 1)
    depth = 1 + len(parts.outer)
    lines += _at([f"total = spread({start})"], depth)
    lines += _opened(parts.inner, depth)
    within = depth + len(parts.inner)
    lines += _at([*parts.before, "for c in range(0, width, LANES):"], within)
    step = f"total = {STEPS[nest.reduction].format('total', f'head({parts.value}, width - c, {start})')}"
    lines += _at([*parts.reads, *parts.steps, step], within + 1)
    value = f"{ENDS[nest.reduction]}(total)"
    if nest.reduction == "mean":
        value += f" / {writer.parameter('divisor', _divisor(nest), 'float')}"
    return [*lines, *_at([f"mem[{writer.address('out', nest.out, lanes=False)}] = {value}"], depth)]


def _divisor(nest: Nest) -> str:
    """How many numbers are summed up."""
    numbers = 1
    texts = []
    for axis in nest.axes:
        if axis.reduced and isinstance(axis.size, int):
            numbers *= axis.size
        elif axis.reduced:
            texts.append(str(axis.size))
    return " * ".join([*texts, str(numbers)] if numbers != 1 or not texts else texts)


def _doc(nest: Nest, names: Mapping[str, str], loops: Mapping[int, str], lanes: int) -> str:
    """`out[r, c] = the sum over p of multiply of x[r, p, c] and y[p]`"""

    def places(access: Access) -> str:
        used = [loop for n, loop in sorted({**loops, lanes: "c"}.items()) if access.strides[n]]
        return f"[{', '.join(used)}]" if used else "[0]"

    operands = []
    for read in nest.reads:
        name = names[read.value]
        if read.access is None:
            operands.append("c")
        elif read.index is None:
            operands.append(f"{name}{places(read.access)}")
        else:
            at = places(read.access)[1:-1].replace("0", "")
            operands.append(f"{name}[{at}{', ' if at else ''}at {name}_index{places(read.index)}]")
    operands += [names[value] for value, _ in nest.numbers]
    shown = " -> ".join(call_of(node) for node in nest.body)
    value = f"{shown} of {', '.join(operands)}" if shown and operands else shown or operands[0]
    if nest.reduction is not None:
        over = [({**loops, lanes: "c"})[n] for n, axis in enumerate(nest.axes) if axis.reduced]
        value = f"the {NOUNS[nest.reduction]} over {', '.join(over)} of {value}" if over else value
    return f"out{places(nest.out)} = {value}"
