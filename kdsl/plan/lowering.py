"""What the rules that lower nodes to launches share: the places of values, new buffers, and launches in the right part.

The same rule serves a value with rows (over a block of them), one without (a single row), and a sum over the batch (over a
block's rows, into the block's share of the sum): `rows` says how many rows there are, `result` makes the right buffer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.plan.expression import streams_of
from kdsl.plan.kernel_text import operand_name
from kdsl.plan.launch import Buffer, Home, Launch, Part, Stages
from kdsl.plan.layout import PANEL, Layout, last_axis, layouts, padded
from kdsl.plan.levels import FINISHED, PREPARED, is_batch_sum, levels
from kdsl.plan.maps import Operand, map_text
from kdsl.plan.names import Names
from kdsl.plan.places import LOCALS, Data, Number, Outside, Panels, Place, Sum, Unsupported, View
from kdsl.plan.turned import is_turn, read_by_products

LONG = 60  # characters of a number's text; a longer one is computed once and kept


class Lowering:
    """The functions of a graph while they are made. `places` is where every value lowered so far is."""

    def __init__(self, graph: Graph, outside: Outside) -> None:
        self.graph, self.outside = graph, outside
        self.layouts = layouts(graph)
        self.levels = levels(graph)
        self.turned = frozenset(name for name in read_by_products(graph) if is_turn(graph[name]))
        self.names = Names((*outside.taken, *LOCALS), around=outside.names)
        stages = range(self.levels.stages)
        self.made = Stages(
            rows=[Part("rows", stage) for stage in stages], close=[Part("close", stage) for stage in stages]
        )
        self.places: dict[str, Place] = {}
        self.copies: dict[tuple[str, Layout], Buffer] = {}
        self.panel_copies: dict[tuple[str, bool], Buffer] = {}
        self.kept_numbers: dict[str, int] = {}
        self.lists: dict[str, Buffer] = {}
        self.part = self.made.prepare
        self.home: Home = "fixed"
        self.rows = "1"

    # -- which part is being made --------------------------------------------------------------------------------------

    @contextmanager
    def at(self, node: Node) -> Iterator[None]:
        """Launches now go where `node` is computed; new buffers are of the kind that it needs there."""
        before = self.part, self.home, self.rows
        self.part, self.home, self.rows = self._where(node)
        try:
            yield
        finally:
            self.part, self.home, self.rows = before

    def _where(self, node: Node) -> tuple[Part, Home, str]:
        stage = self.levels.of[node.name]
        if node.name in self.levels.late:
            part = Part("late")
            self.made.late.append(part)
            return part, "fixed", "rows"
        if node.type.batched:
            return self.made.rows[stage], "scratch", "count"
        if is_batch_sum(node, self.graph):
            return self.made.rows[stage], "scratch", "count"
        if stage == PREPARED:
            return self.made.prepare, "fixed", "1"
        return (self.made.finish if stage == FINISHED else self.made.close[stage]), "fixed", "1"

    def type(self, value: str) -> TensorType:
        return self.graph[value].type

    # -- values in buffers -------------------------------------------------------------------------------------------

    def buffer(self, value: str, layout: Layout) -> Buffer:
        """A new buffer for a value, or for whatever a kernel needs besides."""
        again = any(known == value for known, _ in self.copies)
        name = self.names(f"{value}_lines_of_{layout.width}" if again else value)
        made = self.copies[value, layout] = self._new(name, layout, self.home)
        return made

    def _new(self, name: str, layout: Layout, home: Home) -> Buffer:
        made = Buffer(name, layout, home, first=len(self.part.launches), part=self.part)
        self.made.buffers[name] = made
        return made

    def result(self, node: Node, layout: Layout | None = None) -> Buffer:
        """A new buffer for the value of `node`, and its place. For a sum over the batch it is the block's share."""
        layout = layout or self.layouts[node.name]
        if node.type.batched or self.part.kind != "rows":
            made = self.places[node.name] = self.buffer(node.name, layout)
            return made
        share = self._new(self.names(f"{node.name}.of_block"), layout, "partial")
        whole = self._new(self.names(node.name), layout, "fixed")
        self.made.close[self.part.stage].partials.append((share, whole))
        self.places[node.name] = self.copies[node.name, layout] = whole
        return share

    def read(self, value: str, layout: Layout | None = None) -> Buffer:
        """The value in a buffer of this layout (default: its last axis as the line), copied there if need be."""
        node = self.graph[value]
        wanted = layout or last_axis(node.type)
        if not node.type.batched:
            wanted = Layout(wanted.lines, wanted.width, packed=True)
        place = self.places[value]
        if isinstance(place, Buffer) and place.layout == wanted:
            return place
        if (value, wanted) in self.copies:
            return self.copies[value, wanted]
        with self.at_home(node):
            if isinstance(place, Buffer):
                return self.relayout(node, place, wanted)
            assert not isinstance(place, Panels), f"{value} lies in panels"
            number = self.number(value)
            made = self.buffer(value, wanted)
            self.map((), [(value, place if number is None else Number(number))], node, made)
        return made

    @contextmanager
    def at_home(self, node: Node) -> Iterator[None]:
        """As `at`, but where the whole of a sum over the batch is known."""
        before = self.part, self.home, self.rows
        stage = self.levels.of[node.name]
        if not node.type.batched:
            late = stage == FINISHED
            part = self.made.finish if late else self.made.prepare if stage == PREPARED else self.made.close[stage]
            self.part, self.home, self.rows = part, "fixed", "1"
        else:
            self.part, self.home, self.rows = self.made.rows[stage], "scratch", "count"
        try:
            yield
        finally:
            self.part, self.home, self.rows = before

    def relayout(self, node: Node, place: Buffer, layout: Layout) -> Buffer:
        """`node`'s value, which lies in `place`, in lines of another layout."""
        made = self.buffer(node.name, layout)
        self.launch(
            "relayout",
            node,
            (place,),
            made,
            rows=self.rows,
            size=node.type.size,
            x=place.name,
            x_row=place.layout.row,
            width=place.layout.width,
            step=place.layout.step,
            out=made.name,
            out_row=layout.row,
            out_width=layout.width,
            out_step=layout.step,
        )
        return made

    def view(self, value: str) -> View:
        """How a kernel reads the value, wherever it is."""
        type, place = self.type(value), self.places[value]
        if isinstance(place, (Number, Sum)):
            return View("", 0, type.shape, (0,) * type.rank, None, self.number(value))
        held = place if isinstance(place, Buffer) else self.read(value, self.layouts[value])
        if held.layout.strides(type.shape) is None:
            held = self.read(value)
        return self.view_of(held, type)

    def view_of(self, buffer: Buffer, type: TensorType) -> View:
        """How a kernel finds the elements of a value of this type in a buffer."""
        strides = buffer.layout.strides(type.shape)
        assert strides is not None, f"{type} lies in lines of {buffer.layout.width}"
        number = f"mem[{buffer.name}]" if not type.batched and not type.shape else None
        return View(buffer.name, buffer.layout.row if buffer.batched else 0, type.shape, strides, buffer, number)

    # -- matrices in panels --------------------------------------------------------------------------------------------

    def panels(self, value: str) -> str:
        """Where [inputs, units] lies in panels of 16 columns."""
        node = self.graph[value]
        if value in self.turned:
            return self.transposed(node.inputs[0])
        if node.op == "weight":
            return self.outside.weight(value) if self.outside.in_panels(value) else self.outside.panels(value)
        return self._panel_copy(node, "panels_of_lines", transposed=False)

    def transposed(self, value: str) -> str:
        """Where its transpose [units, inputs] lies in panels."""
        node = self.graph[value]
        if value in self.turned:
            return self.panels(node.inputs[0])
        if node.op == "weight":
            return self.outside.transposed(value)
        return self._panel_copy(node, "transposed_of_lines", transposed=True)

    def panel_step(self, value: str, transposed: bool = False) -> int:
        """Numbers from 16 columns of `panels` or `transposed` to the next 16."""
        if value in self.turned:
            return self.panel_step(self.graph[value].inputs[0], not transposed)
        inputs, units = self.type(value).shape
        return PANEL * (padded(units) if transposed else inputs)

    def _panel_copy(self, node: Node, kernel: str, transposed: bool) -> str:
        """A computed matrix in panels; copied where it is computed."""
        key = (node.name, transposed)
        if key not in self.panel_copies:
            inputs, units = node.type.shape
            columns, lines = (inputs, padded(units)) if transposed else (units, inputs)
            with self.at_home(node):
                x = self.read(node.name)
                name = self.names(f"{node.name}.{'transposed' if transposed else 'panels'}")
                made = self._new(name, Layout(lines * padded(columns) // PANEL, PANEL, packed=True), "fixed")
                sizes = {"inputs": inputs, "units": units, "first": 0, "lines": inputs}
                said = f"{node.name} {'transposed, ' if transposed else ''}in panels, for products"
                self.launch(kernel, node, (x,), made, **sizes, w=x.name, out=made.name, comment_=said)
            self.panel_copies[key] = made
        return self.panel_copies[key].name

    # -- data ----------------------------------------------------------------------------------------------------------

    def data(self, place: Data) -> str:
        """The variable that points at an input's or target's numbers."""
        if place.name not in self.made.data_names:
            self.made.data_names[place.name] = self.names(f"{place.name}.data")
        if place.name not in self.part.data:
            self.part.data.append(place.name)
        return self.made.data_names[place.name]

    def labels(self, value: str) -> dict[str, object]:
        """Whole numbers as a kernel reads them: where the caller gave them, or computed ones as a list of their own."""
        place = self.places[value]
        if isinstance(place, Data):
            return {"labels": self.data(place), "order": "order", "first": "first"}
        node = self.graph[value]
        name = f"{value}.labels"
        if name not in self.lists:
            with self.at_home(node):
                x = self.read(value, Layout(1, node.type.size))
                made = self.lists[name] = self.buffer(name, x.layout)
                sides = {"x": x.name, "x_row": x.layout.row, "result": _list_at(made)}
                self.launch("whole_numbers", node, (x,), made, rows=self.rows, width=node.type.size, **sides)
        self._use(self.lists[name])
        return {"labels": _list_at(self.lists[name]), "order": 0, "first": 0}

    # -- launches ----------------------------------------------------------------------------------------------------

    def launch(
        self, kernel: str, node: Node, reads: tuple[Buffer, ...], writes: Buffer | None, **arguments: object
    ) -> None:
        """One call of a kernel in the part at hand. What is read from another part is kept for the whole batch."""
        for used in (*reads, *((writes,) if writes else ())):
            self._use(used)
        total, divisor = arguments.pop("total_", None), arguments.pop("divisor_", 1)
        streams, number = arguments.pop("streams_", ()), arguments.pop("number_", None)
        comment = str(arguments.pop("comment_", ""))
        pairs = tuple((key, str(value)) for key, value in arguments.items())
        names = tuple(buffer.name for buffer in reads)
        writes_name = writes.name if writes else None
        self.part.launches.append(
            Launch(kernel, pairs, node, names, writes_name, total, divisor, streams, number, "", comment)  # type: ignore[arg-type]
        )

    def _use(self, buffer: Buffer) -> None:
        if buffer.home == "scratch" and buffer.part is not self.part:
            buffer.home = "kept"
        buffer.last = max(buffer.last, len(self.part.launches))

    def fits(self, value: str, layout: Layout, node: Node) -> bool:
        """Whether a map over `layout` can read this value: one number, numbers as many as the result's, a vector along
        its lines, or one number for each line."""
        type = self.type(value)
        if self.number(value) is not None:
            return True
        same = type.batched or not node.type.batched
        vector = not type.batched and type.size == layout.width and type.shape[-1:] == (layout.width,)
        each = type.size == layout.lines and (not type.shape or type.shape[-1] == 1)
        return vector or (same and (type.size == layout.size or each))

    def operand(self, value: str, layout: Layout, node: Node) -> Place:
        """The place from which a map over `layout` can read this value."""
        place, type = self.places[value], self.type(value)
        number = self.number(value)
        if number is not None:
            return Number(number)
        if not self.fits(value, layout, node):
            raise Unsupported(f"`{node.op}` of {type} and {node.type}")
        same = type.batched or not node.type.batched
        if same and type.size == layout.size:
            return place if isinstance(place, Data) else self.read(value, layout)
        if same and type.size == layout.lines and (not type.shape or type.shape[-1] == 1):
            return self.read(value, Layout(layout.lines, 1, layout.packed))
        return self.read(value)

    def map(
        self, body: tuple[Node, ...], operands: list[tuple[str, Place]], node: Node, out: Buffer, own: str = ""
    ) -> None:
        """Launches the kernel for `body`; `own` is the value that `out` holds already, when it works in place."""
        layout = out.layout
        constants: dict[str, float] = {}
        shown: list[Operand] = []
        arguments: dict[str, object] = {}
        reads: list[Buffer] = []
        first = False
        if own:
            operands = [(own, out), *operands]
        for value, place in operands:
            if body and isinstance(place, Number) and place.literal is not None:
                constants[value] = place.literal
                continue
            name = operand_name(len(shown))
            if isinstance(place, Data):
                shown.append(Operand(value, "data", place.dtype))
                arguments[name] = self.data(place)
                first = True
            elif isinstance(place, Number):
                shown.append(Operand(value, "number"))
                arguments[name] = place.text
            elif isinstance(place, Buffer) and not place.batched and place.layout.lines == 1:
                shown.append(Operand(value, "vector"))
                arguments[name] = place.name
                reads.append(place)
            elif isinstance(place, Buffer):
                shown.append(Operand(value, "line" if place.layout == layout else "each"))
                arguments |= {name: place.name, f"{name}_row": place.layout.step}
                reads.append(place)
        if first:
            arguments |= {"order": "order", "first": "first", "lines": layout.lines}
        streams = streams_of(body)
        if streams:
            arguments |= {f"key_{number}": f"key_{stream}" for number, stream in enumerate(streams)}
            arguments["first_line"] = "start" if layout.lines == 1 else f"start * {layout.lines}"
            arguments["streams_"] = tuple(streams)
        arguments |= {"rows": self.lines(layout), "width": layout.width, "out": out.name, "out_row": layout.step}
        wanted = "_".join(["map", *dict.fromkeys(n.op for n in body)][:4]) if body else "copy_data"
        text = map_text(body, shown, constants, whole=layout.width % PANEL == 0)
        kernel = self.outside.maps(wanted, text)
        self.launch(kernel, node, tuple(reads), out, **arguments)

    def lines(self, layout: Layout) -> str:
        """The text of how many lines all rows have together."""
        if self.rows == "1":
            return str(layout.lines)
        return self.rows if layout.lines == 1 else f"{self.rows} * {layout.lines}"

    # -- numbers for the whole batch ---------------------------------------------------------------------------------

    def new_sum(self, node: Node) -> int:
        """A number that the block's launch gives, whose mean over the rows is the value of `node`."""
        place = self.made.sums
        self.made.sums += 1
        stage = self.levels.of[node.name]
        self.made.rows[stage].totals.append(place)
        self.places[node.name] = Sum(f"sum_{place} / rows", stage, single=place)
        return place

    def measure(self, kernel: str, node: Node, reads: tuple[Buffer, ...], divisor: int, **arguments: object) -> None:
        """Launches a kernel that returns the sum over its rows of what `node` is the mean of."""
        if is_batch_sum(node, self.graph):
            arguments |= {"total_": self.new_sum(node), "divisor_": divisor}
            self.launch(kernel, node, reads, None, **arguments)
            return
        number = self._new_number()
        self.launch(kernel, node, reads, None, **arguments, number_=number, divisor_=divisor)
        self.places[node.name] = Number(f"numbers[{number}]")

    def _new_number(self) -> int:
        self.made.numbers += 1
        return self.made.numbers - 1

    def number(self, value: str) -> str | None:
        """The text of a number for the whole batch, as the part at hand can read it; None for anything else."""
        place, type = self.places[value], self.type(value)
        if isinstance(place, Number):
            return place.text
        if isinstance(place, Sum):
            if self.part.kind == "close" and self.part.stage == place.stage:
                return place.text
            return self._kept_number(value, place.text)
        single = isinstance(place, Buffer) and not place.batched and type.size == 1
        return f"mem[{place.name}]" if single and isinstance(place, Buffer) else None

    def _kept_number(self, value: str, text: str) -> str:
        """The number, computed once where it is known, and kept for later parts."""
        if value not in self.kept_numbers:
            node = self.graph[value]
            with self.at_home(node):
                number = self.kept_numbers[value] = self._new_number()
                self.part.launches.append(Launch("", (), node, number=number, value=text))
        return f"numbers[{self.kept_numbers[value]}]"

    def computed(self, node: Node, text: str) -> None:
        """`node` is a number of this text over the numbers that it reads."""
        sums = [place for place in map(self.places.__getitem__, node.inputs) if isinstance(place, Sum)]
        stage = self.levels.of[node.name]
        if any(place.stage == stage for place in sums):
            self.places[node.name] = Sum(text, stage)
        else:
            self.places[node.name] = Number(text)
        if len(text) > LONG:
            self.places[node.name] = Number(self._kept_number(node.name, text))

    def share_of_mean(self, upstream: str, value: str, size: int) -> str:
        """The text of `upstream / number of elements` where each row of `value` has `size` of them."""
        text = self.number(upstream)
        if text is None:
            raise Unsupported(f"{upstream} is no number")
        if not self.type(value).batched:
            return f"{bare(text)} / {size}"
        return f"{bare(text)} / rows" if size == 1 else f"{bare(text)} / (rows * {size})"

    def deliver(self, name: str, value: str, text: str) -> None:
        """Copies an output, without padding, to the caller's array, whose address has this text."""
        node = self.graph[value]
        rows = self.made.rows[self.levels.of[value] if node.type.batched else -1]
        place = self.places[value]
        held = place if isinstance(place, Buffer) else self.read(value, self.layouts[value])
        self.part, self.home, self.rows = rows, "scratch", "count"
        self.launch(
            "deliver",
            node,
            (held,),
            None,
            rows="count",
            size=node.type.size,
            x=held.name,
            x_row=held.layout.row if held.batched else 0,
            width=held.layout.width,
            step=held.layout.step,
            result=text,
            at="start",
            comment_=f"output {name}",
        )

    # -- what others ask for -----------------------------------------------------------------------------------------

    def finish(self, wanted: Iterable[str]) -> Stages:
        """Keeps what is wanted in buffers, the last axis as the line, and says how the loss and the metrics are made."""
        for value in wanted:
            found = self.made.places[value] = self.read(value)
            found.home = "kept" if found.batched else found.home
        if self.graph.loss:
            self._results([self.graph.loss, *(value for _, value in self.graph.metrics)])
        return self.made

    def _results(self, values: list[str]) -> None:
        last = self.made.close[-1]
        self.part, self.home, self.rows = last, "fixed", "1"
        for value in values:
            place = self.places[value]
            single = place.single if isinstance(place, Sum) else None
            if isinstance(place, Sum) and single is not None and place.stage == last.stage:
                self.made.results.append(f"sum_{single}")
                continue
            text = self.number(value)
            if text is None:
                raise Unsupported(f"the loss or metric {value} is no number")
            self.made.linear = self.made.linear and single is not None
            self.made.results.append(f"{bare(text)} * rows")


def _list_at(buffer: Buffer) -> str:
    """A pointer to whole numbers that lie in a buffer one after the other."""
    return f"ints_at(job[MEM] + {buffer.name} * (BITS // 8))"


def bare(text: str) -> str:
    """The text of a number as an operand."""
    return text if re.fullmatch(r"[\w.\[\]]+", text) else f"({text})"


def outside_values(body: tuple[Node, ...]) -> list[str]:
    """What the nodes of a fused body read from outside, in order."""
    inside = {node.name for node in body}
    return list(dict.fromkeys(name for node in body for name in node.inputs if name not in inside))
