"""The function view: what the functions of the generated module call, kernel by kernel, and the buffers between the calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kdsl.draw.kinds import op_kind
from kdsl.draw.scene import Card, Edge, Frame, Item, Kind, Part, Scene
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Node
from kdsl.graph.printer import origin_text
from kdsl.passes.pipeline import OPTIONAL, make_graphs
from kdsl.plan.launch import Launch, Stages
from kdsl.plan.launch import Part as Stage
from kdsl.plan.model import ModelPlan, plan_model
from kdsl.plan.names import RESERVED
from kdsl.plan.update import WeightStep

FAR = 12  # calls: what is read from farther above is named, not drawn
DOCS = {
    "prepare": "prepare: what is made of weights alone",
    "rows": "rows: a block of rows, on any thread",
    "close": "close: behind the last block",
    "late": "late: sums over the batch",
    "finish": "finish: what is made of them",
}


def functions(program: ModelProgram, without: Collection[str] = ()) -> Scene:
    """`predict`, and where there is a train block `evaluate` and `train`, as the numba target calls them."""
    graphs = make_graphs(program, [name for name in without if name in OPTIONAL])
    plan = plan_model(program, graphs, RESERVED, without=without)
    items: list[Item] = []
    edges: list[Edge] = []
    for name, made in (("predict", plan.predict), ("evaluate", plan.evaluate), ("train", plan.train)):
        if made is not None:
            function = _Function(name, plan, made)
            items.append(function.frame())
            edges += function.edges
    doc = f"The functions of {program.name}'s module. {plan.block_rows} rows make a block."
    return Scene(program.name, doc, tuple(items), tuple(edges))


class _Function:
    """One function while it is drawn. `writers` says which card wrote a buffer last."""

    def __init__(self, name: str, plan: ModelPlan, made: Stages) -> None:
        self.name, self.plan, self.made = name, plan, made
        self.writers: dict[str, str] = {}
        self.places: dict[str, int] = {}
        self.edges: list[Edge] = []
        self.count = 0
        self.data: list[Card] = []

    def frame(self) -> Frame:
        made = self.made
        stages = [made.prepare]
        for rows, close in zip(made.rows, made.close, strict=True):
            stages += [rows, close]
        stages += [*made.late, made.finish]
        frames = [self._stage(stage) for stage in stages if stage.launches]
        if self.name == "train":
            frames.append(self._update())
        tip = (f"{self.name} of the module", f"{made.kept} numbers kept for each row of a batch")
        return Frame(f"function:{self.name}", self.name, (*self.data, *frames), tip=tip)

    def _stage(self, stage: Stage) -> Frame:
        title = DOCS[stage.kind]
        inside = [self._launch(launch) for launch in stage.launches]
        number = f", stage {stage.stage + 1}" if len(self.made.rows) > 1 and stage.kind in ("rows", "close") else ""
        return Frame(f"{self.name}:{stage.kind}:{self.count}", title + number, tuple(inside))

    def _launch(self, launch: Launch) -> Card:
        id = f"{self.name}:{self.count}"
        self.count += 1
        far = [value for value in dict.fromkeys((*launch.reads, *self._ports(launch))) if not self._read(value, id)]
        arguments = tuple(f"{key} = {text}" for key, text in launch.arguments)
        node = launch.node
        tip = (node.layer, _ops(node), str(node.type), origin_text(node), *arguments, *_far(far))
        call = launch.kernel or f"numbers[{launch.number}] = {launch.value}"
        if launch.writes is not None:
            self.writers[launch.writes], self.places[launch.writes] = id, self.count
        return Card(id, (Part(call, _kind(node), tip, "", launch.writes or ""),))

    def _ports(self, launch: Launch) -> Iterator[str]:
        """Inputs and targets that it reads, as pills of the function."""
        names = {text: name for name, text in self.made.data_names.items()}
        program = self.plan.program
        for _, text in launch.arguments:
            if text in names:
                if text not in self.writers:
                    id = self.writers[text] = f"{self.name}:data:{text}"
                    kind: Kind = "input" if names[text] in {port.name for port in program.inputs} else "target"
                    self.data.append(Card(id, (Part(names[text], kind, (names[text],)),), "pill"))
                yield text

    def _read(self, value: str, target: str) -> bool:
        """Draws the edge, unless it would be too long; what is no buffer of the function has none."""
        source = self.writers.get(value)
        if source is None or source == target:
            return True
        if self.count - self.places.get(value, self.count) > FAR:
            return False
        buffer = self.made.buffers.get(value)
        lines, width = (buffer.layout.lines, buffer.layout.width) if buffer is not None else (1, 0)
        label = f"{lines} × {width}" if lines > 1 else str(width) if width else ""
        self.edges.append(Edge(f"{source}:{value}", source, target, label))
        return True

    def _update(self) -> Frame:
        """The weights' gradients and steps, in chunks."""
        optimizer = self.plan.program.training
        name = optimizer.optimizer.name if optimizer is not None else ""
        found = []
        for group in self.plan.groups:
            for step in group.steps:
                if isinstance(step, WeightStep):
                    found.append(self._step(step))
        title = f"update: gradients, {name}"
        chunks = self.plan.update_chunks
        return Frame(f"{self.name}:update", title, tuple(found), f"{chunks} chunk{'s' if chunks != 1 else ''}")

    def _step(self, step: WeightStep) -> Card:
        id = f"{self.name}:{self.count}"
        self.count += 1
        operands = [self.made.places.get(operand) for term in step.terms for operand in term.inputs]
        buffers = dict.fromkeys(buffer.name for buffer in (*operands, *step.values) if buffer is not None)
        far = [name for name in buffers if not self._read(name, id)]
        pieces = f"{step.pieces} pieces" if step.pieces > 1 else ""
        terms = tuple(f"{term.op}({', '.join(term.inputs)})" for term in step.terms)
        tip = (step.weight.path, str(list(step.weight.shape)), *terms, *_far(far))
        return Card(id, (Part(step.weight.path, "weights", tip, "", pieces),))


def _far(names: list[str]) -> tuple[str, ...]:
    return (f"reads from farther above: {', '.join(names)}",) if names else ()


def _ops(node: Node) -> str:
    return " -> ".join(part.op for part in node.body) if node.body else node.op


def _kind(node: Node) -> Kind:
    return op_kind((node.body[0] if node.body else node).op)
