"""What the rules that lower nodes to launches share: the places of values, new buffers, and launches in the right part.

The same rule serves a value with rows (over a block of them), one without (a single row), and a sum over the batch (over a
block's rows, into the block's share of the sum): `rows` says how many rows there are, `result` makes the right buffer.
"""

from __future__ import annotations

from kdsl.graph.graph import Graph, Node
from kdsl.graph.types import TensorType
from kdsl.plan.expression import streams_of
from kdsl.plan.kernel_text import operand_name
from kdsl.plan.launch import HERE, Buffer, Launch, Part
from kdsl.plan.layout import PANEL, Layout, last_axis, layouts
from kdsl.plan.maps import Operand, map_text
from kdsl.plan.parts import Parts
from kdsl.plan.places import Data, Number, Outside, Panels, Place, Sum, Unsupported, View
from kdsl.plan.turned import is_turn, read_by_products

LONG = 60  # characters of a number's text; a longer one is computed once and kept


class Lowering(Parts):
    """The functions of a graph while they are made. `places` is where every value lowered so far is."""

    def __init__(self, graph: Graph, outside: Outside) -> None:
        super().__init__(graph, outside)
        self.layouts = layouts(graph)
        self.turned = frozenset(name for name in read_by_products(graph) if is_turn(graph[name]))
        self.copies: dict[tuple[str, Layout], Buffer] = {}
        self.panel_copies: dict[tuple[str, bool], Buffer] = {}
        self.lists: dict[str, Buffer] = {}

    # -- values in buffers -------------------------------------------------------------------------------------------

    def buffer(self, value: str, layout: Layout) -> Buffer:
        """A new buffer for a value, or for whatever a kernel needs besides."""
        again = any(known == value for known, _ in self.copies)
        name = self.names(f"{value}_lines_of_{layout.width}" if again else value)
        made = self.copies[value, layout] = self.new_buffer(name, layout, self.home)
        return made

    def result(self, node: Node, layout: Layout | None = None) -> Buffer:
        """A new buffer for the value of `node`, and its place. For a sum over the batch it is the block's share."""
        layout = layout or self.layouts[node.name]
        if node.type.batched or self.part.kind != "rows":
            made = self.places[node.name] = self.buffer(node.name, layout)
            return made
        share = self.new_buffer(self.names(f"{node.name}.of_block"), layout, "partial")
        whole = self.new_buffer(self.names(node.name), layout, "fixed")
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
        self.use(self.lists[name])
        return {"labels": _list_at(self.lists[name]), "order": 0, "first": 0}

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
            arguments |= {"order": "order", "first": "first", "lines": layout.lines, "size": layout.size, "column": 0}
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

    def for_pieces(self, body: tuple[Node, ...]) -> Launch:
        """The map of `body` over whole weights, into HERE, as the update can cut it into pieces."""
        before, node = (self.part, self.home, self.rows), body[-1]
        self.part, self.home, self.rows = Part("late"), "fixed", "1"
        layout = self.layouts[node.name]
        operands = [(value, self.operand(value, layout, node)) for value in outside_values(body)]
        self.map(body, operands, node, Buffer(HERE, layout, "fixed"))
        (launch,) = self.part.launches
        self.part, self.home, self.rows = before
        return launch


def _list_at(buffer: Buffer) -> str:
    """A pointer to whole numbers that lie in a buffer one after the other."""
    return f"ints_at(job[MEM] + {buffer.name} * (BITS // 8))"


def outside_values(body: tuple[Node, ...]) -> list[str]:
    """What the nodes of a fused body read from outside, in order."""
    inside = {node.name for node in body}
    return list(dict.fromkeys(name for node in body for name in node.inputs if name not in inside))
