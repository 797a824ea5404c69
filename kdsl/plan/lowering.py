"""What the rules that lower nodes to launches share: the places of values, new buffers, and launches over a block of rows."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.graph.graph import Graph, Node
from kdsl.plan.launch import Buffer, Launch, RowFunction
from kdsl.plan.layout import PANEL, Layout, last_axis, layouts
from kdsl.plan.maps import Operand, map_text, operand_name, streams_of
from kdsl.plan.names import Names
from kdsl.plan.places import LOCALS, Data, Fixed, Number, Outside, Place, Sum, Unsupported


class Lowering:
    """A row function while it is made. `places` is where every value lowered so far is."""

    def __init__(self, graph: Graph, outside: Outside) -> None:
        self.graph, self.outside = graph, outside
        self.layouts = layouts(graph)
        self.names = Names((*outside.taken, *LOCALS))
        self.result = RowFunction()
        self.places: dict[str, Place] = {}
        self.copies: dict[tuple[str, Layout], Buffer] = {}

    # -- values in buffers -------------------------------------------------------------------------------------------

    def buffer(self, value: str, layout: Layout) -> Buffer:
        """A new buffer for a value."""
        again = any(known == value for known, _ in self.copies)
        name = self.names(f"{value}_lines_of_{layout.width}" if again else value)
        made = Buffer(name, layout, first=len(self.result.launches))
        self.result.buffers[name] = self.copies[value, layout] = made
        return made

    def read(self, value: str, layout: Layout | None = None) -> Buffer:
        """The value in a buffer of this layout (default: its last axis as the line), copied there if need be."""
        wanted = layout or last_axis(self.graph[value].type)
        place = self.places[value]
        if isinstance(place, Buffer) and place.layout == wanted:
            return place
        if (value, wanted) in self.copies:
            return self.copies[value, wanted]
        node = self.graph[value]
        if isinstance(place, Buffer):
            return self.relayout(node, place, wanted)
        made = self.buffer(value, wanted)
        self.map((), [(value, place)], node, made)
        return made

    def relayout(self, node: Node, place: Buffer, layout: Layout) -> Buffer:
        """`node`'s value, which lies in `place`, in lines of another layout."""
        made = self.buffer(node.name, layout)
        self.launch(
            "relayout",
            node,
            (place,),
            made,
            rows="count",
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

    def data(self, place: Data) -> str:
        """The variable that points at an input's or target's numbers."""
        if place.name not in self.result.data:
            self.result.data.append(place.name)
            self.result.data_names[place.name] = self.names(f"{place.name}.data")
        return self.result.data_names[place.name]

    def labels(self, value: str) -> dict[str, object]:
        place = self.places[value]
        assert isinstance(place, Data)
        return {"labels": self.data(place), "order": "order", "first": "first"}

    # -- launches ----------------------------------------------------------------------------------------------------

    def launch(
        self, kernel: str, node: Node, reads: tuple[Buffer, ...], writes: Buffer | None, **arguments: object
    ) -> None:
        now = len(self.result.launches)
        for used in (*reads, *((writes,) if writes else ())):
            used.last = max(used.last, now)
        total, divisor = arguments.pop("total_", None), arguments.pop("divisor_", 1)
        streams = arguments.pop("streams_", ())
        pairs = tuple((key, str(value)) for key, value in arguments.items())
        names = tuple(buffer.name for buffer in reads)
        self.result.launches.append(
            Launch(kernel, pairs, node, names, writes.name if writes else None, total, divisor, streams)  # type: ignore[arg-type]
        )

    def lines(self, layout: Layout) -> str:
        return "count" if layout.lines == 1 else f"count * {layout.lines}"

    def operand(self, value: str, layout: Layout, node: Node) -> Place:
        """The place from which a map over `layout` can read this value."""
        place, type = self.places[value], self.graph[value].type
        if isinstance(place, (Number, Fixed)):
            if isinstance(place, Fixed) and type.shape not in ((layout.width,), (1,)):
                raise Unsupported(f"`{node.op}` of {type} over lines of {layout.width}")
            return place
        if isinstance(place, Sum):
            raise Unsupported(f"`{node.op}` reads a number that is known only after the whole batch")
        if type.size == layout.lines * layout.width:
            return place if isinstance(place, Data) else self.read(value, layout)
        if type.size == layout.lines and (not type.shape or type.shape[-1] == 1):
            return self.read(value, Layout(layout.lines, 1))
        raise Unsupported(f"`{node.op}` of {type} and {node.type}")

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
            elif isinstance(place, Fixed):
                shown.append(Operand(value, "vector"))
                arguments[name] = place.text
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

    # -- numbers for the whole batch ---------------------------------------------------------------------------------

    def new_sum(self, node: Node) -> int:
        number = self.result.sums
        self.result.sums += 1
        self.places[node.name] = Sum(f"sums[{number}] / rows", single=number)
        return number

    def share_of_mean(self, upstream: str, size: int) -> str:
        """The text of `upstream / number of elements` in a batch whose rows have `size` of them."""
        place = self.places[upstream]
        if not isinstance(place, Number):
            raise Unsupported("a loss whose gradient needs the loss itself")
        return f"{place.text} / rows" if size == 1 else f"{place.text} / (rows * {size})"

    # -- what others ask for -----------------------------------------------------------------------------------------

    def finish(self, wanted: Mapping[str, Layout | None]) -> RowFunction:
        for value, layout in wanted.items():
            place = self.places[value]
            held = place.layout if isinstance(place, Buffer) else last_axis(self.graph[value].type)
            found = self.read(value, layout or held)
            found.last = len(self.result.launches)
            self.result.places[value] = found
        values = [self.graph.loss, *(value for _, value in self.graph.metrics)] if self.graph.loss else []
        for value in values:
            place = self.places[str(value)]
            if isinstance(place, Sum) and place.single is not None:
                self.result.results.append(f"sums[{place.single}]")
            elif isinstance(place, (Sum, Number)):
                self.result.results.append(f"({place.text}) * rows")
            else:
                raise Unsupported(f"the loss or metric {value} is no number")
        return self.result


def outside_values(body: tuple[Node, ...]) -> list[str]:
    """What the nodes of a fused body read from outside, in order."""
    inside = {node.name for node in body}
    return list(dict.fromkeys(name for node in body for name in node.inputs if name not in inside))
