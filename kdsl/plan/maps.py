"""Generated kernels of elementwise ops: one loop over lines, one statement for each op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kdsl.graph.graph import Node
from kdsl.plan.expression import call_of, statement, streams_of
from kdsl.plan.kernel_text import KernelText, operand_name

C_POINTERS = {"u8": "Bytes", "bool": "Bytes", "i32": "Ints", "index": "Ints", "f32": "Memory"}


@dataclass(frozen=True, slots=True)
class Operand:
    """An input of a map kernel.

    kind  line: a value laid out as the result.  each: one number for each line.  vector: the same line for all.
          number: the same number for all.  data: an input or target of the model, of `dtype`.
    """

    value: str
    kind: str
    dtype: str = "f32"


def map_text(
    body: Sequence[Node], operands: Sequence[Operand], constants: dict[str, float], whole: bool = False
) -> KernelText:
    """The kernel that computes the last of `body`. `constants` are plain numbers among the outside values. `whole`:
    lines are whole panels, so that there is no padding to leave out and to fill.

    A row of the data is `size` numbers, of which `lines` lines are read from number `column` on."""
    names = {o.value: operand_name(i) for i, o in enumerate(operands)}
    from_data = any(o.kind == "data" for o in operands)
    keys = {stream: f"key_{number}" for number, stream in enumerate(streams_of(body))}
    parameters = ["mem: Memory"]
    reads: list[str] = []
    for o in operands:
        name = names[o.value]
        if o.kind == "data":
            parameters.append(f"{name}: {C_POINTERS[o.dtype]}")
            reads.append(f"            {name}_ = fetch({name}, source + c, {'LANES' if whole else 'width - c'})")
        elif o.kind == "number":
            parameters.append(f"{name}: float")
            reads.append(f"            {name}_ = spread({name})")
        elif o.kind == "vector":
            parameters.append(f"{name}: int")
            reads.append(f"            {name}_ = load(mem, {name} + c)")
        elif o.kind == "each":
            parameters += [f"{name}: int", f"{name}_row: int"]
            reads.append(f"            {name}_ = spread(mem[{name} + r * {name}_row])")
        else:
            parameters += [f"{name}: int", f"{name}_row: int"]
            reads.append(f"            {name}_ = load(mem, {name} + r * {name}_row + c)")
    if from_data:
        parameters += ["order: int", "first: int", "lines: int", "size: int", "column: int"]
    if keys:
        parameters += [*(f"{key}: int" for key in keys.values()), "first_line: int"]
    parameters += ["rows: int", "width: int", "out: int", "out_row: int"]

    texts = {value: f"{name}_" for value, name in names.items()} | {k: repr(v) for k, v in constants.items()}
    steps: list[str] = []
    for number, node in enumerate(body):
        value = statement(node, [texts[name] for name in node.inputs], keys, "(first_line + r) * width + c")
        texts[node.name] = f"v{number}"
        steps.append(f"            v{number} = {value}")
    if not body:
        texts[""] = f"{names[operands[0].value]}_"
    last = texts[body[-1].name] if body else texts[""]
    lines = ["    for r in range(rows):"]
    if from_data:
        lines.append("        source = row_at(order, first + r // lines) * size + r % lines * width + column")
    end = "width" if whole else "padded(width)"
    lines += [f"        for c in range(0, {end}, LANES):", *reads, *steps]
    value = last if whole else f"head({last}, width - c, 0.0)"
    lines.append(f"            store(mem, out + r * out_row + c, {value})")
    doc = f"out = {' -> '.join(call_of(node) for node in body) or 'x, as numbers'}"
    return KernelText(tuple(parameters), doc, tuple(lines))


class Nameable(Protocol):
    """The text of a kernel, which can be told from others."""

    def named(self, name: str) -> str: ...

    def __hash__(self) -> int: ...


class Maps:
    """All map kernels of a module, each text once."""

    def __init__(self, fresh: Callable[[str], str]) -> None:
        self._fresh = fresh
        self._names: dict[Nameable, str] = {}

    def __call__(self, wanted: str, text: Nameable) -> str:
        """The name of the kernel with this text: the first time one like `wanted`."""
        if text not in self._names:
            self._names[text] = self._fresh(wanted)
        return self._names[text]

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [(name, text.named(name)) for text, name in self._names.items()]
