"""The parts of a step as functions: where each value lies, then one call for each launch, with the source line above it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kdsl.codegen.clocks import Clocks, Moved
from kdsl.codegen.text import WIDTH, call, comment, indented, origin_of, place
from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.plan.launch import ROOM, Buffer, Launch, Part, Stages
from kdsl.plan.maps import C_POINTERS
from kdsl.plan.model import ModelPlan, in_batches

LINE, LONGEST_AHEAD = 64, 1 << 14  # bytes of a row: of longer ones the processor sees itself what comes next
POINTERS = {"Bytes": "bytes_at", "Ints": "ints_at", "Memory": "memory_at"}
Kind = Literal["predict", "evaluate", "train"]


@dataclass(frozen=True, slots=True)
class Emitter:
    """Writes the functions of one graph. `prefix` stands before the names of a model's functions; with `clocks` every call
    of a kernel is timed."""

    plan: ModelPlan
    graph: Graph
    made: Stages
    kind: Kind
    prefix: str
    clocks: Clocks | None = None

    @property
    def capital(self) -> str:
        return self.prefix.upper()

    @property
    def by_batches(self) -> bool:
        """Whether evaluate or predict takes its rows batch by batch."""
        return self.kind != "train" and in_batches(self.made)

    # ---- functions ---------------------------------------------------------------------------------------------------

    def rows(self, part: Part, name: str, doc: str) -> str:
        """A pass over a block of rows."""
        parameters = ["start: int", "count: int", *(["chunk: int"] if self._has_chunk else []), "me: int"]
        if self.kind == "train":
            parameters = ["step: int", "rows: int", *parameters]
        elif self.by_batches:
            parameters = ["batch: int", "rows: int", *parameters]
        lines = [call(f"def {name}(", ["job: Longs", *parameters], ") -> None:"), f'    """{doc}"""']
        lines += self._inside([*self._data(part), *self._places(part.launches, "start", part.totals)])
        return "\n".join([*lines, *self._inside(self.calls(part.launches))])

    @property
    def _has_chunk(self) -> bool:
        return self.kind != "predict" or self.by_batches

    def close(self, stage: int, name: str, doc: str) -> str:
        """What follows the rows of a stage; after the last one, the loss and the metrics are added to the totals."""
        rows, part = self.made.rows[stage], self.made.close[stage]
        last = stage == len(self.made.rows) - 1 and bool(self.made.results)
        lines = [f"def {name}(job: Longs, step: int, rows: int, blocks: int) -> None:", f'    """{doc}"""']
        pointers = [*(["partials"] if rows.totals else []), *(["totals"] if last else [])]
        if pointers:
            values = ", ".join(f"doubles_at(job[{pointer.upper()}])" for pointer in pointers)
            lines.append(f"    {', '.join(pointers)} = {values}")
        if rows.totals:
            names = [f"sum_{i}" for i in rows.totals]
            lines += [f"    {', '.join(names)} = {', '.join('0.0' for _ in names)}", "    for block in range(blocks):"]
            for n, i in zip(names, rows.totals, strict=True):
                lines.append(f"        {n} += partials[block * {self.made.sums} + {i}]")
        results = self.made.results if last else []
        texts = [*self._texts(part.launches), *results]
        for share, whole in part.partials:
            texts += [share.name, whole.name]
        lines += self._inside(self.locals_of(texts, memory=bool(part.launches or part.partials), start=""))
        for share, whole in part.partials:
            arguments = [
                f"step={self.made.partial}",
                f"count={share.layout.row}",
                f"x={share.name}",
                f"out={whole.name}",
            ]
            added = filled("add_blocks(", ["mem", "blocks=blocks", *arguments])
            if self.clocks is not None:
                node = next(launch.node for launch in rows.launches if launch.writes == share.name)
                added = self.clocks.around(added, node, "0", Moved(whole=2 * share.layout.row))
            lines += self._inside([added])
        lines += self._inside(self.calls(part.launches, me="0"))
        if last:
            lines += [
                f"    loss = {results[0]}",
                "    if step >= 0 and loss - loss != 0.0:",
                "        job[BAD] = step",
                "        return",
                "    totals[0] += loss",
                *(f"    totals[{i}] += {text}" for i, text in enumerate(results) if i),
            ]
        if len(lines) == 2:
            lines.append("    return")
        return "\n".join(lines)

    def serial(self, part: Part, head: str, doc: str) -> str:
        """A function that one thread runs: what is made of weights, or of gradients."""
        lines = [f"def {head} -> None:", f'    """{doc}"""']
        lines += self._inside(self.locals_of(self._texts(part.launches), memory=True, start=""))
        return "\n".join([*lines, *self._inside(self.calls(part.launches, me="0"))])

    # ---- their parts -------------------------------------------------------------------------------------------------

    @staticmethod
    def _inside(lines: Iterable[str]) -> list[str]:
        return [indented(line, 4) for line in lines]

    def _texts(self, launches: Iterable[Launch]) -> list[str]:
        """Everything that the launches name."""
        texts = [text for launch in launches for text in (launch.value, *(value for _, value in launch.arguments))]
        return texts + [f"numbers[{launch.number}]" for launch in launches if launch.number is not None]

    def _data(self, part: Part) -> list[str]:
        """Pointers to the rows of the caller's data, and keys of random masks."""
        lines = ["mem = memory_at(job[MEM])"]
        if part.data:
            offset = " + step * job[BATCH]" if self.kind == "train" else " + batch" if self.by_batches else ""
            lines.append(f"order, first = job[ORDER], job[FIRST]{offset} + start")
        lines += self.pointers(part.data)
        if self.kind == "train" and part.data:
            lines += self.fetched_ahead(part.data, "count")
        return lines

    def pointers(self, names: Collection[str]) -> list[str]:
        """Names of inputs' and targets' numbers."""
        lines = []
        for index, port in enumerate([*self.plan.program.inputs, *self.plan.program.targets]):
            if port.name in names:
                pointer = POINTERS[C_POINTERS[port.type.dtype]]
                lines.append(f"{self.made.data_names[port.name]} = {pointer}(job[DATA + {index}])")
        return lines

    def fetched_ahead(self, names: Collection[str], rows: str, columns: bool = False) -> list[str]:
        """Rows lie in the order of a shuffle: those of the next step are asked for in time, or of them the `columns` that lie
        from number `line` on."""
        lines = []
        for index, port in enumerate([*self.plan.program.inputs, *self.plan.program.targets]):
            item = 1 if port.type.dtype in ("u8", "bool") else 4
            size = port.type.size * item
            if port.name in names and LINE < size <= LONGEST_AHEAD:
                wide = " * (BITS // 32)" if port.type.dtype == "f32" else ""
                each = f" * {item}{wide}" if item > 1 else ""
                data = f"job[DATA + {index}]{f' + line{each}' if columns else ''}"
                arguments = ["order=order", "first=first + job[BATCH]", f"rows={rows}", "stop=job[FIRST] + job[COUNT]"]
                asked = f"lines{each}" if columns else f"{size}{wide}"
                lines.append(filled("fetch_ahead(", [*arguments, f"data={data}", f"size={asked}", f"row={size}{wide}"]))
        return lines

    def _places(self, launches: Sequence[Launch], start: str, totals: Sequence[int]) -> list[str]:
        """Names of what the launches of a rows part read and fill."""
        lines = ["sums = doubles_at(job[PARTIALS])"] if totals else []
        for stream in sorted({stream for launch in launches for stream in launch.streams}):
            moment = "job[SEED], job[STEP] + step" if self.kind == "train" else "0, 0"
            lines.append(f"key_{stream} = random_key({moment}, {stream})")
        lines += self.locals_of(self._texts(launches), memory=False, start=start)
        texts = self._texts(launches)
        scratch = [b for b in self._used(texts) if b.home == "scratch"]
        if scratch or ROOM in texts:
            lines.append("# Values of this block, in this thread's scratch.")
            lines.append(f"scratch = {self.capital}SCRATCH + me * {self.capital}SCRATCH_SIZE")
            lines += [f"{b.name} = scratch{_plus(b.offset * self.plan.block_rows)}" for b in scratch]
        if ROOM in texts:
            lines.append(f"{ROOM} = scratch{_plus(self.plan.room)}  # of kernels, while they run")
        return lines

    def _used(self, texts: Iterable[str]) -> list[Buffer]:
        """The buffers that are named in the texts, in the order they were made."""
        names = {name for text in texts for name in re.findall(r"[A-Za-z_]\w*", text)}
        return [buffer for buffer in self.made.buffers.values() if buffer.name in names]

    def locals_of(self, texts: Sequence[str], memory: bool, start: str) -> list[str]:
        """Names of values that live longer than a block. `start` is the block's first row, where there is one."""
        used = self._used(texts)
        memory = memory or (not start and any("mem[" in text for text in texts))
        lines = ["mem = memory_at(job[MEM])"] if memory else []
        if any("numbers[" in text for text in texts):
            lines.append("numbers = doubles_at(job[NUMBERS])")
        fixed, kept, partial = ([b for b in used if b.home == home] for home in ("fixed", "kept", "partial"))
        if fixed:
            lines.append("# Values without rows.")
            lines += [f"{b.name} = {self.capital}VALUES{_plus(b.offset)}" for b in fixed]
        if kept or partial:
            lines += ["# Values of the whole batch."] if not start else []
        if kept and start:
            lines.append("# Values of the whole batch, which the gradients of the weights read.")
        if kept or partial:
            lines.append("kept, capacity = job[KEPT], job[CAPACITY]")
        row = f" + {start} * " if start else ""
        lines += [f"{b.name} = {kept_at(b)}" + (f"{row}{b.layout.row}" if row else "") for b in kept]
        if partial:
            lines.append("# Shares of sums over the batch: the block's." if start else "# The blocks' shares of sums.")
            chunk = f" + chunk * {self.made.partial}" if start else ""
            lines.append(f"partial = kept + capacity * {self.made.kept}{chunk}")
            lines += [f"{b.name} = partial{_plus(b.offset)}" for b in partial]
        return lines

    def calls(self, launches: Iterable[Launch], me: str = "me") -> list[str]:
        """`me` is the text of the thread's number; 0 where no other thread is at work."""
        lines = []
        for launch in launches:
            text = self._call(launch)
            if self.clocks is not None and launch.kernel:
                text = self.clocks.around(text, launch.node, me, self._moved(launch))
            lines += [f"# {self._comment(launch)}", text]
        return lines

    def _moved(self, launch: Launch) -> Moved:
        """What a call reads and writes, for the report of its time."""
        arguments = {v.removesuffix("_PANELS").removesuffix("_TRANSPOSED") for _, v in launch.arguments}
        found = self.moved({*launch.reads, *([launch.writes] if launch.writes else [])})
        weights = sum(place.size for place in self.plan.memory.weights.values() if place.constant in arguments)
        ports = [*self.plan.program.inputs, *self.plan.program.targets]
        read = [port.type for port in ports if self.made.data_names.get(port.name) in arguments]
        data = sum(type.size * (1 if type.dtype in ("u8", "bool") else 4) for type in read)
        return Moved(found.row, found.whole + weights, data)

    def moved(self, names: Iterable[str]) -> Moved:
        buffers = [self.made.buffers[name] for name in names if name in self.made.buffers]
        return Moved(
            sum(b.layout.row for b in buffers if b.batched), sum(b.layout.row for b in buffers if not b.batched)
        )

    def _comment(self, launch: Launch) -> str:
        if launch.comment:
            return f"{comment(launch.comment)}     {shape(launch.node.type)}".rstrip()
        return comment_of(launch.node, self.graph, self.plan)

    def _call(self, launch: Launch) -> str:
        if not launch.kernel:
            return f"numbers[{launch.number}] = {launch.value}"
        names = {"ZEROS": f"{self.capital}ZEROS", "ONES": f"{self.capital}ONES"}
        if launch.kernel == "deliver" and self.by_batches:
            names["start"] = "batch + start"
        arguments = ["mem", *(f"{key}={names.get(value, value)}" for key, value in launch.arguments)]
        target = f"numbers[{launch.number}] = " if launch.number is not None else ""
        if launch.total is not None:
            target = f"sums[chunk * {self.made.sums} + {launch.total}] = "
        tail = f") / {launch.divisor}" if launch.divisor != 1 else ")"
        return filled(f"{target}{launch.kernel}(", arguments, tail)


def _plus(offset: int) -> str:
    return f" + {offset}" if offset else ""


def kept_at(buffer: Buffer) -> str:
    """Where a kept value of the whole batch begins."""
    return f"kept + capacity * {buffer.offset}" if buffer.offset else "kept"


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
    sizes = [*(["rows"] if type.batched else []), *map(str, type.shape)]
    return f"[{', '.join(sizes)}]" if sizes else ""
