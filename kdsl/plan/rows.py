"""Lowers the part of a graph that works row by row: every batched node becomes launches over a block of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kdsl.codegen.names import Names
from kdsl.graph.graph import Graph, Node
from kdsl.ops.registry import OPS
from kdsl.plan.expression import expression
from kdsl.plan.launch import Buffer, Launch, RowFunction
from kdsl.plan.layout import PANEL, Layout, last_axis, layouts, padded
from kdsl.plan.maps import Maps, Operand, map_text, streams_of

# Names that stand for something else in a generated function.
LOCALS = [
    "mem",
    "job",
    "me",
    "rows",
    "start",
    "count",
    "chunk",
    "step",
    "first",
    "order",
    "sums",
    "partials",
    "capacity",
    "block",
    "scratch",
    "work",
    "zeros",
    "ones",
    "key",
    "Memory",
    "Bytes",
    "Ints",
    "Longs",
    "Doubles",
    "Double",
    "math",
    "os",
    "time",
]
CONTRACTIONS = frozenset({"matmul", "matmul_data_gradient"})
BATCH_SUMS = frozenset({"matmul_kernel_gradient", "bias_gradient"})
COMPARISONS = {
    "sparse_accuracy": "sparse_accuracy",
    "categorical_accuracy": "categorical_accuracy",
    "binary_accuracy": "binary_accuracy",
    "sparse_top_k": "sparse_top_k",
    "categorical_top_k": "categorical_top_k",
}


class Unsupported(Exception):
    """A graph this target cannot compile: the compiler's own limit, not the user's mistake."""


@dataclass(frozen=True, slots=True)
class Data:
    """An input or target as the caller gave it."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Number:
    """One number for the whole batch: its text."""

    text: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A vector that does not change in a step, a weight or a constant: the name of its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A number made of the batch's sums: its text, and whether it is the mean of one sum over the rows."""

    text: str
    single: int | None = None


Place = Buffer | Data | Number | Fixed | Sum


@dataclass(frozen=True, slots=True)
class Outside:
    """What the row functions of a model share: names of weights, of their transposed copies and of constant vectors."""

    weight: Callable[[str], str]
    transposed: Callable[[str], str]
    constant: Callable[[tuple[float, ...]], str]
    maps: Maps
    taken: frozenset[str]


def lower_rows(graph: Graph, outside: Outside, wanted: Mapping[str, Layout | None]) -> RowFunction:
    """The launches of `graph`. `wanted` are values that must end in a buffer, in this layout if one is given."""
    lowering = _Lowering(graph, outside)
    for node in graph:
        lowering.lower(node)
    return lowering.finish(wanted)


class _Lowering:
    def __init__(self, graph: Graph, outside: Outside) -> None:
        self.graph, self.outside = graph, outside
        self.layouts = layouts(graph)
        self.names = Names((*outside.taken, *LOCALS))
        self.result = RowFunction()
        self.places: dict[str, Place] = {}
        self.copies: dict[tuple[str, Layout], Buffer] = {}
        self.losses = _shared_losses(graph)

    # -- the node's kind decides -------------------------------------------------------------------------------------

    def lower(self, node: Node) -> None:
        if node.op in ("input", "target"):
            self.places[node.name] = Data(str(node.attribute("name")), node.type.dtype)
        elif node.op == "weight":
            self.places[node.name] = Fixed(self.outside.weight(node.name))
        elif node.op == "constant":
            value = node.attribute("value")
            vector = isinstance(value, tuple)
            self.places[node.name] = Fixed(self.outside.constant(value)) if vector else Number(repr(value))  # type: ignore[arg-type]
        elif node.op in BATCH_SUMS or (not node.type.batched and node.op == "sum_to"):
            return  # the update's affair
        elif not node.type.batched:
            self.lower_unbatched(node)
        elif node.op == "mean_gradient":
            self.lower_mean_gradient(node)
        elif node.op == "reshape":
            self.lower_reshape(node)
        elif node.op in CONTRACTIONS:
            self.lower_contraction(node, (node,))
        elif node.op == "fused" and node.attribute("kind") == "contraction":
            self.lower_contraction(node, node.body)
        elif node.op == "fused":
            self.lower_map(node, node.body)
        elif node.op == "dropout" or OPS[node.op].elementwise:
            self.lower_map(node, (node,))
        elif node.op in ("softmax", "log_softmax"):
            self.lower_softmax(node)
        elif node.op in ("softmax_gradient", "log_softmax_gradient"):
            self.lower_softmax_gradient(node)
        elif node.op in ("softmax_cross_entropy_gradient", "sparse_softmax_cross_entropy_gradient"):
            self.lower_cross_entropy(node)
        elif "negative_log_likelihood" in node.op:
            self.lower_log_likelihood(node)
        elif node.op == "sum_to":
            self.lower_sum_to(node)
        else:
            raise Unsupported(f"the numba target has no kernel for `{node.op}`")

    def lower_unbatched(self, node: Node) -> None:
        places = [self.places.get(name) for name in node.inputs]
        if any(self.graph[name].type.batched for name in node.inputs):
            if node.op in ("softmax_cross_entropy", "sparse_softmax_cross_entropy"):
                self.lower_cross_entropy(node)
            elif node.op in ("mean", *COMPARISONS):
                self.lower_measure(node)
            else:
                raise Unsupported(f"the numba target has no kernel for `{node.op}` over the batch")
        elif all(isinstance(place, Number) for place in places) and places:
            texts = [f"({place.text})" for place in places if isinstance(place, Number)]
            self.places[node.name] = Number(expression(node, texts))
        elif all(isinstance(place, (Number, Sum)) for place in places) and places:
            texts = [f"({place.text})" for place in places if isinstance(place, (Number, Sum))]
            self.places[node.name] = Sum(expression(node, texts))
        # what is left reads gradients of weights: the update's affair

    # -- values in buffers -------------------------------------------------------------------------------------------

    def buffer(self, value: str, layout: Layout) -> Buffer:
        """A new buffer for a value."""
        again = any(known == value for known, _ in self.copies)
        name = self.names(f"{value}_lines_of_{layout.width}" if again else value)
        made = Buffer(name, layout, first=len(self.result.launches))
        self.result.buffers[name] = self.copies[value, layout] = made
        return made

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

    def read(self, value: str, layout: Layout | None = None) -> Buffer:
        """The value in a buffer of this layout (default: its last axis as the line), copied there if need be."""
        wanted = layout or last_axis(self.graph[value].type)
        place = self.places[value]
        if isinstance(place, Buffer) and place.layout == wanted:
            return place
        if (value, wanted) in self.copies:
            return self.copies[value, wanted]
        node = self.graph[value]
        made = self.buffer(value, wanted)
        if isinstance(place, Buffer):
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
                out_row=wanted.row,
                out_width=wanted.width,
                out_step=wanted.step,
            )
        else:
            self.map((), [(value, place)], node, made)
        return made

    def lines(self, layout: Layout) -> str:
        return "count" if layout.lines == 1 else f"count * {layout.lines}"

    # -- elementwise -------------------------------------------------------------------------------------------------

    def lower_map(self, node: Node, body: tuple[Node, ...]) -> None:
        layout = self.layouts[node.name]
        outside = _outside_values(body)
        if len(body) == 1 and node.op != "dropout" and all(isinstance(self.places[v], Number) for v in outside):
            texts = [f"({self.places[v].text})" for v in node.inputs]  # type: ignore[union-attr]
            try:
                text = expression(node, texts)
                if not any(c.isalpha() for c in text.replace("rows", "")):
                    self.places[node.name] = Number(text)
                    return
            except ValueError:
                pass
        operands = [(value, self.operand(value, layout, node)) for value in outside]
        made = self.buffer(node.name, layout)
        self.map(body, operands, node, made)
        self.places[node.name] = made

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
        names = iter("xyzuvw")
        for value, place in operands:
            if isinstance(place, Number) and _is_literal(place.text) and body:
                constants[value] = float(place.text)
                continue
            name = next(names, f"x{len(shown)}")
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

    def data(self, place: Data) -> str:
        """The variable that points at an input's or target's numbers."""
        if place.name not in self.result.data:
            self.result.data.append(place.name)
            self.result.data_names[place.name] = self.names(f"{place.name}.data")
        return self.result.data_names[place.name]

    def lower_mean_gradient(self, node: Node) -> None:
        upstream = self.places[node.inputs[0]]
        if not isinstance(upstream, Number):
            raise Unsupported("a loss whose gradient needs the loss itself")
        size = node.type.size
        self.places[node.name] = Number(
            f"{upstream.text} / rows" if size == 1 else f"{upstream.text} / (rows * {size})"
        )

    def lower_reshape(self, node: Node) -> None:
        place, layout = self.places[node.inputs[0]], self.layouts[node.name]
        if isinstance(place, (Data, Number)):
            self.places[node.name] = place
            return
        assert isinstance(place, Buffer)
        self.places[node.name] = place
        if place.layout != layout and place.layout.width != 1:
            self.places[node.name] = self.read_as(node, place, layout)

    def read_as(self, node: Node, place: Buffer, layout: Layout) -> Buffer:
        """A reshaped value whose lines differ from those of what it was."""
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

    def lower_sum_to(self, node: Node) -> None:
        raise Unsupported(f"`sum_to` from {self.graph[node.inputs[0]].type} to {node.type}")

    # -- matrix products ---------------------------------------------------------------------------------------------

    def lower_contraction(self, node: Node, body: tuple[Node, ...]) -> None:
        """One tile pass for the product and what its epilogue can do; a map in place for the rest."""
        product, rest = body[0], list(body[1:])
        x = self.read(product.inputs[0])
        path = product.inputs[1]
        inputs, units = self.graph[product.inputs[1]].type.shape
        forward = product.op == "matmul"
        made = self.buffer(node.name, last_axis(node.type))
        value, bias, floor, gate, factor = product.name, "ZEROS", "LOWEST", None, 1.0
        if rest and rest[0].op == "add_bias" and rest[0].inputs[0] == value:
            bias, value = self.place_text(rest[0].inputs[1]), rest.pop(0).name
        if rest and rest[0].op == "relu":
            floor, value = "0.0", rest.pop(0).name
        while rest:
            following = rest[0]
            others = [name for name in following.inputs if name != value]
            literal = self.literal(others[0]) if len(others) == 1 else None
            if following.op == "multiply" and literal is not None:
                factor *= literal
            elif following.op == "relu_gradient" and following.inputs[0] == value and gate is None:
                gate = self.read(following.inputs[1])
            else:
                break
            value = rest.pop(0).name
        self.launch(
            "dense",
            node,
            (x, *((gate,) if gate else ())),
            made,
            rows=self.lines(made.layout),
            inputs=inputs if forward else units,
            units=padded(units) if forward else padded(inputs),
            x=x.name,
            x_row=x.layout.step,
            w=self.outside.weight(path) if forward else self.outside.transposed(path),
            w_panel=PANEL * (inputs if forward else padded(units)),
            bias=bias,
            out=made.name,
            out_row=made.layout.step,
            floor=floor,
            gate=gate.name if gate else "ONES",
            gate_row=gate.layout.step if gate else 0,
            scale=repr(factor),
        )
        if rest:
            outside = [name for name in _outside_values(tuple(rest)) if name != value]
            operands = [(name, self.operand(name, made.layout, node)) for name in outside]
            self.map(tuple(rest), operands, node, made, own=value)
        self.places[node.name] = made

    def literal(self, value: str) -> float | None:
        place = self.places[value]
        return float(place.text) if isinstance(place, Number) and _is_literal(place.text) else None

    def place_text(self, value: str) -> str:
        place = self.places[value]
        assert isinstance(place, Fixed)
        return place.text

    # -- softmax and cross-entropy -----------------------------------------------------------------------------------

    def lower_softmax(self, node: Node) -> None:
        layout = self.layouts[node.name]
        x = self.read(node.inputs[0], layout)
        made = self.places[node.name] = self.buffer(node.name, layout)
        sides = {"x": x.name, "x_row": layout.step, "out": made.name, "out_row": layout.step}
        if node.attribute("axis") == -1:
            self.launch(node.op, node, (x,), made, rows=self.lines(layout), width=layout.width, **sides)
        else:
            logarithm = int(node.op == "log_softmax")
            self.launch("softmax_along", node, (x,), made, rows="count", **_axes(node), **sides, logarithm=logarithm)

    def lower_softmax_gradient(self, node: Node) -> None:
        layout = self.layouts[node.name]
        g, y = (self.read(name, layout) for name in node.inputs)
        made = self.places[node.name] = self.buffer(node.name, layout)
        sides = {"g": g.name, "g_row": layout.step, "y": y.name, "y_row": layout.step}
        sides |= {"out": made.name, "out_row": layout.step}
        if node.attribute("axis") == -1:
            self.launch(node.op, node, (g, y), made, rows=self.lines(layout), width=layout.width, **sides)
        else:
            along = int(node.op == "log_softmax_gradient")
            self.launch(
                "softmax_along_gradient", node, (g, y), made, rows="count", **_axes(node), **sides, logarithm=along
            )

    def lower_cross_entropy(self, node: Node) -> None:
        """The loss and its gradient in one launch, where both are asked for."""
        loss, gradient = self.losses[node.name]
        if node is loss and gradient is not None:
            self.new_sum(loss)  # the launch waits for the gradient's node
            return
        logits, target = node.inputs[-2:]
        z = self.read(logits)
        lines, width = z.layout.lines, z.layout.width
        arguments: dict[str, object] = {}
        reads = [z]
        if node.op.startswith("sparse"):
            arguments |= self.labels(target) | {"rows": self.lines(z.layout), "lines": lines}
        else:
            wanted = self.read(target)
            reads.append(wanted)
            arguments |= {"rows": self.lines(z.layout), "target": wanted.name, "target_row": wanted.layout.step}
        work = self.buffer(f"{node.name}.work", Layout(1, width))
        made: Buffer | None = None
        scale = "0.0"
        if gradient is not None:
            upstream = self.places[gradient.inputs[0]]
            if not isinstance(upstream, Number):
                raise Unsupported("a loss whose gradient needs the loss itself")
            scale = f"{upstream.text} / rows" if lines == 1 else f"{upstream.text} / (rows * {lines})"
            made = self.places[gradient.name] = self.buffer(gradient.name, z.layout)
        total = None
        if loss is not None:
            known = self.places.get(loss.name)
            total = known.single if isinstance(known, Sum) else self.new_sum(loss)
        kernel = "sparse_cross_entropy" if node.op.startswith("sparse") else "cross_entropy"
        self.launch(
            kernel,
            gradient or node,
            (*reads, work),
            made,
            **arguments,
            width=width,
            z=z.name,
            z_row=z.layout.step,
            smoothing=repr(node.attribute("smoothing")),
            scale=scale,
            gradient=made.name if made else -1,
            gradient_row=made.layout.step if made else 0,
            work=work.name,
            total_=total,
            divisor_=lines,
        )

    def labels(self, value: str) -> dict[str, object]:
        place = self.places[value]
        assert isinstance(place, Data)
        return {"labels": self.data(place), "order": "order", "first": "first"}

    def lower_log_likelihood(self, node: Node) -> None:
        sparse = node.op.startswith("sparse")
        smoothing = node.attribute("smoothing")
        assert isinstance(smoothing, float)
        made = self.places[node.name] = self.buffer(node.name, self.layouts[node.name])
        arguments: dict[str, object] = {}
        if not node.op.endswith("gradient"):
            y = self.read(node.inputs[0])
            reads, wide = [y], y.layout
            arguments |= {"y": y.name, "y_row": y.layout.step}
        else:
            wide = made.layout
            g = self.read(node.inputs[0], last_axis(self.graph[node.inputs[0]].type))
            reads = [g]
            arguments |= {"g": g.name, "g_row": g.layout.row}
        kernel = node.op
        if sparse:
            arguments |= self.labels(node.inputs[1]) | {"smoothing": repr(smoothing)}
        else:
            other = self.read(node.inputs[1])
            reads.append(other)
            arguments |= {"target": other.name, "target_row": other.layout.step}
            if kernel == "negative_log_likelihood":
                arguments["smoothing"] = repr(smoothing)
            else:
                towards = kernel == "negative_log_likelihood_target_gradient"
                offset = 0.0 if towards else smoothing / wide.width
                arguments |= {"slope": repr(1.0 - smoothing), "offset": repr(offset)}
                kernel = "negative_log_likelihood_gradient"
        step = made.layout.step if node.op.endswith("gradient") else made.layout.row
        arguments |= {"rows": self.lines(wide), "lines": wide.lines, "width": wide.width, "out": made.name}
        self.launch(kernel, node, tuple(reads), made, **arguments, out_row=step)

    # -- numbers for the whole batch ---------------------------------------------------------------------------------

    def new_sum(self, node: Node) -> int:
        number = self.result.sums
        self.result.sums += 1
        self.places[node.name] = Sum(f"sums[{number}] / rows", single=number)
        return number

    def lower_measure(self, node: Node) -> None:
        if node.op == "mean":
            place = self.places[node.inputs[0]]
            held = place.layout if isinstance(place, Buffer) else self.layouts[node.inputs[0]]
            x = self.read(node.inputs[0], held)
            sizes = {"rows": self.lines(held), "width": held.width, "x": x.name, "x_row": held.step}
            divisor = self.graph[node.inputs[0]].type.size
            self.launch("total", node, (x,), None, **sizes, total_=self.new_sum(node), divisor_=divisor)
            return
        z = self.read(node.inputs[0])
        arguments: dict[str, object] = {"rows": self.lines(z.layout), "width": z.layout.width}
        arguments |= {"z": z.name, "z_row": z.layout.step}
        reads = [z]
        if node.op.startswith("sparse"):
            arguments |= self.labels(node.inputs[1]) | {"lines": z.layout.lines}
        else:
            target = self.read(node.inputs[1])
            reads.append(target)
            arguments |= {"target": target.name, "target_row": target.layout.step}
        if "top_k" in node.op:
            arguments["k"] = node.attribute("k")
        divisor = z.layout.lines * (z.layout.width if node.op == "binary_accuracy" else 1)
        self.launch(node.op, node, tuple(reads), None, **arguments, total_=self.new_sum(node), divisor_=divisor)

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


def _outside_values(body: tuple[Node, ...]) -> list[str]:
    """What the nodes of a fused body read from outside, in order."""
    inside = {node.name for node in body}
    return list(dict.fromkeys(name for node in body for name in node.inputs if name not in inside))


def _is_literal(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _axes(node: Node) -> dict[str, object]:
    """The axis of a softmax among the three that it cuts a sample into."""
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    shape = node.type.shape
    place = len(shape) + axis
    outer = inner = 1
    for size in shape[:place]:
        outer *= size
    for size in shape[place + 1 :]:
        inner *= size
    return {"outer": outer, "count": shape[place], "inner": inner}


def _shared_losses(graph: Graph) -> dict[str, tuple[Node | None, Node | None]]:
    """For each fused cross-entropy, and each gradient of one: (the loss, its gradient), those that there are."""
    found: dict[str, tuple[Node | None, Node | None]] = {}
    losses = {
        (node.op, node.inputs, node.attributes): node
        for node in graph
        if node.op in ("softmax_cross_entropy", "sparse_softmax_cross_entropy")
    }
    for node in losses.values():
        found[node.name] = (node, None)
    for node in graph:
        if node.op in ("softmax_cross_entropy_gradient", "sparse_softmax_cross_entropy_gradient"):
            loss = losses.get((node.op.removesuffix("_gradient"), node.inputs[1:], node.attributes))
            found[node.name] = (loss, node)
            if loss is not None and found[loss.name][1] is None:
                found[loss.name] = (loss, node)
    return found
