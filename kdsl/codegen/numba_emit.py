"""Row functions as text: where each value lies, then one call for each launch, with the source line above it."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.codegen.text import WIDTH, call, comment, indented, origin_of, place
from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.plan.launch import Buffer, Launch, RowFunction
from kdsl.plan.maps import C_POINTERS
from kdsl.plan.model import ModelPlan

POINTERS = {"Bytes": "bytes_at", "Ints": "ints_at", "Memory": "memory_at"}


def row_function(
    plan: ModelPlan, graph: Graph, function: RowFunction, name: str, kind: str, doc: str, capital: str
) -> str:
    """`kind` is predict, evaluate or train."""
    parameters = ["start: int", "count: int", "me: int"]
    if kind == "evaluate":
        parameters.insert(2, "chunk: int")
    if kind == "train":
        parameters = ["step: int", "rows: int", "start: int", "count: int", "chunk: int", "me: int"]
    head = call(f"def {name}(", ["job: Longs", *parameters], ") -> None:")
    lines = [head, f'    """{doc}"""', *(f"    {line}" for line in _prologue(plan, function, kind, capital))]
    for launch in function.launches:
        lines.append(f"    # {comment_of(launch.node, graph, plan)}")
        lines.append(indented(_call(launch, plan, kind, capital), 4))
    if kind == "predict":
        lines += [f"    {line}" for line in _deliveries(plan, graph, function)]
    return "\n".join(lines)


def _prologue(plan: ModelPlan, function: RowFunction, kind: str, capital: str) -> list[str]:
    lines = ["mem = memory_at(job[MEM])"]
    ports = [*plan.program.inputs, *plan.program.targets]
    if function.data:
        offset = " + step * job[BATCH]" if kind == "train" else ""
        lines.append(f"order, first = job[ORDER], job[FIRST]{offset} + start")
    for index, port in enumerate(ports):
        if port.name in function.data:
            pointer = POINTERS[C_POINTERS[port.type.dtype]]
            lines.append(f"{function.data_names[port.name]} = {pointer}(job[DATA + {index}])")
    if kind != "predict":
        lines.append("sums = doubles_at(job[PARTIALS])")
    for stream in function.streams:
        lines.append(f"key_{stream} = random_key(job[SEED], job[STEP] + step, {stream})")
    kept = [buffer for buffer in function.buffers.values() if buffer.kept]
    if kept:
        lines.append("# Values of the whole batch, which the gradients of the weights read.")
        lines.append("kept, capacity = job[KEPT], job[CAPACITY]")
        lines += [f"{b.name} = {kept_at(b)} + start * {b.layout.row}" for b in kept]
    scratch = [buffer for buffer in function.buffers.values() if not buffer.kept]
    if scratch:
        lines.append("# Values of this block, in this thread's scratch.")
        lines.append(f"scratch = {capital}SCRATCH + me * {capital}SCRATCH_SIZE")
        for b in scratch:
            lines.append(f"{b.name} = scratch + {b.offset * plan.block_rows}" if b.offset else f"{b.name} = scratch")
    return lines


def filled(head: str, arguments: Sequence[str], tail: str = ")", used: int = 4) -> str:
    """`head(a, b)` on one line where it fits, else as many arguments on a line as fit."""
    line = f"{head}{', '.join(arguments)}{tail}"
    if used + len(line) <= WIDTH:
        return line
    lines, now = [head], ""
    for argument in arguments:
        if now and used + 4 + len(now) + len(argument) + 2 > WIDTH:
            lines.append(f"    {now}")
            now = ""
        now += (" " if now else "") + argument + ","
    return "\n".join([*lines, f"    {now}", tail])


def kept_at(buffer: Buffer) -> str:
    """Where a kept value of the whole batch begins."""
    return f"kept + capacity * {buffer.offset}" if buffer.offset else "kept"


def _call(launch: Launch, plan: ModelPlan, kind: str, capital: str) -> str:
    constants = {"ZEROS": f"{capital}ZEROS", "ONES": f"{capital}ONES"}
    arguments = ["mem", *(f"{key}={constants.get(value, value)}" for key, value in launch.arguments)]
    if launch.total is None:
        return filled(f"{launch.kernel}(", arguments)
    assert plan.train is not None
    place = f"sums[chunk * {plan.train.sums} + {launch.total}] = "
    tail = f") / {launch.divisor}" if launch.divisor != 1 else ")"
    return filled(f"{place}{launch.kernel}(", arguments, tail)


def _deliveries(plan: ModelPlan, graph: Graph, function: RowFunction) -> list[str]:
    lines = []
    for index, (name, value) in enumerate(graph.outputs):
        b, size = function.places[value], graph[value].type.size
        lines.append(f"# output {comment(name)}     {shape(graph[value].type)}")
        arguments = [
            "mem",
            "rows=count",
            f"size={size}",
            f"x={b.name}",
            f"x_row={b.layout.row}",
            f"width={b.layout.width}",
            f"step={b.layout.step}",
            f"result=memory_at(job[DATA + {len(plan.program.inputs) + index}])",
            "at=start",
        ]
        lines += filled("deliver(", arguments).split("\n")
    return lines


def comment_of(node: Node, graph: Graph, plan: ModelPlan) -> str:
    """`fashion.kmodel:9  -> dense(28) -> relu     matmul, add_bias, relu [rows, 784] @ [784, 28]`."""
    body = node.body or (node,)
    ops = ", ".join(dict.fromkeys(part.op for part in body))
    types = {name: graph[name].type for part in body for name in part.inputs if name in graph}
    if body[0].op in ("matmul", "matmul_data_gradient"):
        kernel = types[body[0].inputs[1]].shape
        across = f"[{kernel[0]}, {kernel[1]}]" if body[0].op == "matmul" else f"[{kernel[1]}, {kernel[0]}]"
        shapes = f"{shape(types[body[0].inputs[0]])} @ {across}"
    else:
        shapes = shape(node.type)
    return f"{_source_of(node, plan)}     {ops} {shapes}".rstrip()


def _source_of(node: Node, plan: ModelPlan) -> str:
    """The source line, and the layers that a fused node stands for, in the order of the source."""
    calls = {layer.path: layer.text for layer in plan.program.layers}
    paths = dict.fromkeys(part.layer for part in node.body or (node,))
    ours = [text for path, text in calls.items() if path in paths]
    if len(ours) < 2:
        return origin_of(node, plan.program)
    return comment(f"{place(node.origin[0])}  {' '.join(f'-> {text}' for text in ours)}")


def shape(type: TensorType) -> str:
    """`[rows, 28, 28]`; nothing for a number of the whole batch."""
    return f"[{', '.join(['rows', *map(str, type.shape)])}]" if type.batched else ""
