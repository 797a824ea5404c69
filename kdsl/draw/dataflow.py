"""The data-flow view: layers as written, blocks as frames, operators between them, ends of the model, the loss."""

from __future__ import annotations

from math import prod

from kdsl.draw.kinds import HIDDEN, kind_of, shown_call, sign_of
from kdsl.draw.scene import Card, Edge, Frame, Item, Part, Scene
from kdsl.elaborate.program import CallRecord, LayerRecord, ModelProgram
from kdsl.graph.graph import Node
from kdsl.source import Span


def dataflow(program: ModelProgram) -> Scene:
    """Everything, nothing folded."""
    flow = _Flow(program)
    return Scene(program.name, program.doc, flow.items(), flow.edges())


class _Flow:
    """`owner` says which card makes a value; values that no card makes are passed on by what makes them."""

    def __init__(self, program: ModelProgram) -> None:
        self.program, self.graph = program, program.graph
        self.order = {node.name: number for number, node in enumerate(self.graph)}
        self.sizes = {weight.name: prod(weight.shape) for weight in program.weights}
        self.makers = {name: layer.path for layer in program.layers for name in layer.weights}
        self.records: dict[str, LayerRecord] = {}
        for layer in program.layers:
            if layer.value not in layer.inputs:
                self.records.setdefault(layer.value, layer)
        self.inside = self._insides()
        self.users = self.graph.users()
        self.end = self._end()
        self.wanted = self._wanted()
        self.owner: dict[str, str] = {}
        self.made: list[tuple[int, str, Card]] = []  # (place in the graph, path, card)
        self.reads: list[tuple[str, str]] = []  # (value, card that reads it)
        self._cards()

    # -- which nodes are whose -------------------------------------------------------------------------------------

    def _insides(self) -> dict[str, set[str]]:
        """Value of a layer -> the nodes that compute it from its inputs, weights included."""
        return {value: self._behind(value, set(layer.inputs)) for value, layer in self.records.items()}

    def _behind(self, value: str, stops: set[str]) -> set[str]:
        found, left = {value}, [value]
        while left:
            for name in self.graph[left.pop()].inputs:
                known = name in stops or name in found or name in self.records
                if not known and self.graph[name].op not in ("input", "target"):
                    found.add(name)
                    left.append(name)
        return found

    def _end(self) -> int:
        """The number of the first node that only the train block knows: what is behind it is the loss's and the metrics'."""
        training = self.program.training
        last = 0
        results = [value for _, value in self.graph.outputs]
        for number, node in enumerate(self.graph):
            body = any(_within(span, self.program.span) for span in node.origin)
            trained = training is not None and any(_within(span, training.span) for span in node.origin)
            if (body and not trained) or node.name in results:
                last = number
        for layer in self.program.layers:
            if training is None or not _within(layer.span, training.span):
                last = max(last, self.order[layer.value])
        return last + 1

    def _wanted(self) -> set[str]:
        """What outputs and loss depend on; the rest is not drawn, unless it is a layer."""
        left = [value for _, value in self.graph.outputs] + list(self.records)
        left += [self.graph.loss] if self.graph.loss is not None else []
        found = set(left)
        while left:
            for name in self.graph[left.pop()].inputs:
                if name not in found:
                    found.add(name)
                    left.append(name)
        return found

    # -- cards -----------------------------------------------------------------------------------------------------

    def _cards(self) -> None:
        program = self.program
        spans = {port.name: port for port in (*program.inputs, *program.targets)}
        hidden = {name for value, names in self.inside.items() for name in names if name != value}
        for number, node in enumerate(self.graph):
            if node.op in ("input", "target"):
                port = spans[str(node.attribute("name"))]
                if node.op == "input" or self.graph.loss is not None:
                    tip = (f"{node.op} {port.name}: {port.type}", *_lines(port.doc), _place(port.span))
                    at = number if node.op == "input" else len(self.graph.nodes) + 2
                    self._add(at, "", node.name, Part(port.name, node.op, tip), "pill")  # type: ignore[arg-type]
            elif number >= self.end:
                break
            elif node.name in self.records:
                self._layer(number, self.records[node.name])
            elif node.op == "weight":
                self._weight(number, node)
            elif node.name in self.wanted and node.name not in hidden and node.op != "constant":
                self._operator(number, node)
        self._loss()
        for name, value in self.graph.outputs:
            type = dict(program.outputs)[name]
            part = Part(name, "output", (f"output {name}: {type}",))
            self._add(len(self.graph.nodes) + 1, "", f"output:{name}", part, "pill")
            self.reads.append((value, f"output:{name}"))

    def _add(self, number: int, path: str, id: str, part: Part, form: str = "card") -> None:
        self.made.append((number, path, Card(id, (part,), form)))  # type: ignore[arg-type]
        self.owner[id] = id

    def _layer(self, number: int, layer: LayerRecord) -> None:
        used = [name for name in self.inside[layer.value] if name in self.sizes]
        foreign = [name for name in used if self.makers.get(name) not in (None, layer.path)]
        shared = "" if not foreign else f"weights of {self.makers[min(foreign, key=self.order.__getitem__)]}"
        count = sum(self.sizes[name] for name in layer.weights)
        tip = [layer.path, layer.text, f"makes {layer.type}"]
        shapes = {weight.name: weight for weight in self.program.weights}
        for name in layer.weights:
            fixed = "" if shapes[name].trainable else ", not trained"
            tip.append(f"{name.rpartition('.')[2]} {list(shapes[name].shape)}, {self.sizes[name]:,} parameters{fixed}")
        tip += [f"the {shared}"] if shared else []
        last = layer.path.rpartition(".")[2]
        numbered = last.isdecimal() or last.removesuffix(f"_{last.rpartition('_')[2]}") == layer.layer
        name = "" if numbered or last == layer.layer else last
        part = Part(
            shown_call(layer.layer, layer.text),
            kind_of(layer.layer, bool(used)),
            (*tip, _place(layer.span)),
            name,
            f"{count:,}" if count else "",
            _key(layer.span),
            shared,
        )
        self._add(number, layer.path, layer.value, part)
        inside = self.inside[layer.value]
        read = [name for node in inside for name in self.graph[node].inputs if name not in inside]
        self.reads += [(value, layer.value) for value in sorted(set(read), key=self.order.__getitem__)]

    def _operator(self, number: int, node: Node) -> None:
        """An op between layers: a circle for an operator, a chip for a function; what does nothing is passed over."""
        if node.op in HIDDEN and node.inputs:
            return
        tip = (node.layer or node.name, f"{node.op}: {node.type}", _place(node.origin[0]))
        values = [name for name in node.inputs if self.graph[name].op != "constant"]
        numbers = [self.graph[name].attribute("value") for name in node.inputs if self.graph[name].op == "constant"]
        sign = sign_of(node)
        given = ", ".join(_number(value) for value in numbers)
        place = _key(node.origin[0])
        if sign and not numbers:
            self._add(number, node.layer, node.name, Part(sign, "plain", tip, place=place), "circle")
        else:
            front = bool(node.inputs) and self.graph[node.inputs[0]].op == "constant"
            text = f"{given} {sign}" if sign and front else f"{sign} {given}" if sign else _function(node, given)
            self._add(number, node.layer, node.name, Part(text, "plain", tip, place=place), "chip")
        for value in dict.fromkeys(values):
            self.reads.append((value, node.name))

    def _weight(self, number: int, node: Node) -> None:
        """A weight that an operator reads, be it declared by `weight` or a layer's."""
        inside = {name for names in self.inside.values() for name in names}
        if not any(n.name not in inside and self.order[n.name] < self.end for n in self.users[node.name]):
            return
        maker = self.makers.get(node.name, "")
        name = node.name if maker else node.name.rpartition(".")[2]
        cost = f"{self.sizes[node.name]:,} parameters" if not maker else f"the weights of {maker}"
        tip = (node.name, f"weight {node.type}", cost, _place(node.origin[0]))
        path = "" if maker else node.name
        self._add(number, path, node.name, Part(name, "weight", tip, place=_key(node.origin[0])), "chip")

    def _loss(self) -> None:
        graph, training = self.graph, self.program.training
        if graph.loss is None or training is None:
            return
        part = Part(training.loss, "loss", (f"loss = {training.loss}", _place(training.span)), name="loss")
        self._add(len(graph.nodes) + 3, "", "loss:", part)
        left, seen = [graph.loss], {graph.loss}
        found: list[str] = []
        while left:
            name = left.pop()
            if self.order[name] < self.end:
                if graph[name].op not in ("weight", "constant"):
                    found.append(name)
                continue
            for value in graph[name].inputs:
                if value not in seen:
                    seen.add(value)
                    left.append(value)
        self.reads += [(value, "loss:") for value in sorted(found, key=self.order.__getitem__)]

    # -- the scene -------------------------------------------------------------------------------------------------

    def items(self) -> tuple[Item, ...]:
        """Cards in the order they run, those of a block's call in its frame."""
        calls = sorted(self.program.calls, key=lambda call: call.path.count("."))
        members: dict[str, list[tuple[int, Item]]] = {"": []}
        members.update({call.path: [] for call in calls})
        for number, path, card in self.made:
            members[_enclosing(path, members)].append((number, card))
        for call in reversed(calls):
            inside = sorted(members[call.path], key=lambda pair: pair[0])
            if inside:
                outer = _enclosing(call.path.rpartition(".")[0], members)
                members[outer].append((inside[0][0], self._frame(call, tuple(item for _, item in inside))))
        return tuple(item for _, item in sorted(members[""], key=lambda pair: pair[0]))

    def _frame(self, call: CallRecord, items: tuple[Item, ...]) -> Frame:
        inside = f"{call.path}."
        count = sum(size for name, size in self.sizes.items() if name.startswith(inside))
        sizes = [", ".join(f"{name} = {value}" for name, value in call.sizes)] if call.sizes else []
        cost = [f"{count:,} parameters"] if count else []
        tip = (call.path, call.text, *_lines(call.doc), *sizes, *cost, _place(call.span))
        name = call.path.rpartition(".")[2]
        alias = "" if name.isdecimal() or name.split("_")[0] == call.block else f"{name}: "
        return Frame(f"frame:{call.path}", f"{alias}{call.text}", items, tip=tip, place=_key(call.span))

    def edges(self) -> tuple[Edge, ...]:
        found: dict[tuple[str, str], Edge] = {}
        for value, target in self.reads:
            source = self._source(value)
            if source is not None and source != target:
                found.setdefault((source, target), Edge(source, source, target, str(self.graph[source].type)))
        return tuple(found.values())

    def _source(self, value: str) -> str | None:
        """The card that makes it; what stands between, such as a cast, is passed over."""
        while value not in self.owner:
            inputs = self.graph[value].inputs
            if not inputs:
                return None
            value = inputs[0]
        return value


def _enclosing(path: str, members: dict[str, list[tuple[int, Item]]]) -> str:
    while path and path not in members:
        path = path.rpartition(".")[0]
    return path


def _within(span: Span, outer: Span) -> bool:
    return span.source is outer.source and outer.start <= span.start and span.stop <= outer.stop


def _place(span: Span) -> str:
    return f"{span.source.name.replace(chr(92), '/').rpartition('/')[2]}:{span.line}"


def _key(span: Span) -> tuple[str, int, int]:
    return span.source.name, span.start, span.stop


def _lines(doc: str) -> list[str]:
    return [line for line in doc.split("\n") if line.strip()]


def _number(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{value:.4g}"
    return "[...]"


def _function(node: Node, given: str) -> str:
    """`sum(axis = 0)`, `einsum(qd,kd->qk)`."""
    inner = [given] if given else []
    for key, value in node.attributes:
        if key == "equation":
            inner.append(str(value))
        elif key in ("axis", "axes") and node.op != "transpose":
            axes = [str(axis) for axis in (value if isinstance(value, tuple) else (value,))]
            inner.append(f"axis = {axes[0]}" if len(axes) == 1 else f"axis = [{', '.join(axes)}]")
    name = node.op.removeprefix("reduce_")
    return f"{name}({', '.join(inner)})" if inner else name
