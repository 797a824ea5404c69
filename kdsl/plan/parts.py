"""Where launches go while a graph is lowered: the part at hand, its new buffers, and numbers for the whole batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.plan.launch import ROOM, Buffer, Home, Launch, Part, Stages
from kdsl.plan.layout import Layout
from kdsl.plan.levels import FINISHED, PREPARED, is_batch_sum, levels
from kdsl.plan.names import Names
from kdsl.plan.places import LOCALS, Number, Outside, Place, Sum, Unsupported

LONG = 60  # characters of a number's text; a longer one is computed once and kept


class Parts:
    """The functions of a graph while they are made. `places` is where every value lowered so far is.

    part, home   the part that launches go to, and what kind of buffer is new there; `rows` is the text of how many rows a
                 launch has
    """

    def __init__(self, graph: Graph, outside: Outside) -> None:
        self.graph, self.outside = graph, outside
        self.levels = levels(graph)
        self.names = Names((*outside.taken, *LOCALS), around=outside.names)
        stages = range(self.levels.stages)
        self.made = Stages(
            rows=[Part("rows", stage) for stage in stages], close=[Part("close", stage) for stage in stages]
        )
        self.places: dict[str, Place] = {}
        self.kept_numbers: dict[str, int] = {}
        self.part = self.made.prepare
        self.home: Home = "fixed"
        self.rows = "1"

    def type(self, value: str) -> TensorType:
        return self.graph[value].type

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

    def lines(self, layout: Layout) -> str:
        """The text of how many lines all rows have together."""
        if self.rows == "1":
            return str(layout.lines)
        return self.rows if layout.lines == 1 else f"{self.rows} * {layout.lines}"

    # -- launches ----------------------------------------------------------------------------------------------------

    def launch(
        self, kernel: str, node: Node, reads: tuple[Buffer, ...], writes: Buffer | None, **arguments: object
    ) -> None:
        """One call of a kernel in the part at hand. What is read from another part is kept for the whole batch."""
        for used in (*reads, *((writes,) if writes else ())):
            self.use(used)
        total, divisor = arguments.pop("total_", None), arguments.pop("divisor_", 1)
        streams, number = arguments.pop("streams_", ()), arguments.pop("number_", None)
        comment, why = str(arguments.pop("comment_", "")), str(arguments.pop("why_", ""))
        pairs = tuple((key, str(value)) for key, value in arguments.items())
        names = tuple(buffer.name for buffer in reads)
        writes_name = writes.name if writes else None
        self.part.launches.append(
            Launch(kernel, pairs, node, names, writes_name, total, divisor, streams, number, "", comment, why)  # type: ignore[arg-type]
        )

    def use(self, buffer: Buffer) -> None:
        if buffer.home == "scratch" and buffer.part is not self.part:
            buffer.home = "kept"
        buffer.last = max(buffer.last, len(self.part.launches))

    def new_buffer(self, name: str, layout: Layout, home: Home) -> Buffer:
        made = Buffer(name, layout, home, first=len(self.part.launches), part=self.part)
        self.made.buffers[name] = made
        return made

    def room(self, numbers: int) -> str:
        """The text of a place for so many numbers, which a kernel may use while it runs."""
        self.made.room = max(self.made.room, numbers)
        return ROOM

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
        if len(text) > LONG and not node.type.batched:
            self.places[node.name] = Number(self._kept_number(node.name, text))

    def share_of_mean(self, upstream: str, value: str, size: int) -> str:
        """The text of `upstream / number of elements` where each row of `value` has `size` of them."""
        text = self.number(upstream)
        if text is None:
            raise Unsupported(f"{upstream} is no number")
        if not self.type(value).batched:
            return f"{bare(text)} / {size}"
        return f"{bare(text)} / rows" if size == 1 else f"{bare(text)} / (rows * {size})"


def bare(text: str) -> str:
    """The text of a number as an operand."""
    return text if re.fullmatch(r"[\w.\[\]]+", text) else f"({text})"
