"""What timed calls are of: their layer, their direction, and how much they have to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kdsl.codegen.clocks import Clocks, Timed
from kdsl.codegen.text import place
from kdsl.elaborate.program import LayerRecord, ModelProgram
from kdsl.graph.graph import SOURCES, Graph, Node
from kdsl.graph.types import TensorType
from kdsl.ops.registry import OPS
from kdsl.passes.dead_code import reached
from kdsl.timing.result import Call, Direction

LOSS, DATA = "loss", "data"


class Work:
    """Turns what the clocks showed into calls. `rows` of a batch; `itemsize` of a number in bytes."""

    def __init__(self, program: ModelProgram, graph: Graph, rows: int, itemsize: int) -> None:
        self.program, self.rows, self.itemsize = program, rows, itemsize
        self.types: dict[str, TensorType] = {}
        for node in graph:
            for part in (*node.body, node):
                self.types[part.name] = part.type
        self.forward = reached(replace(graph, gradients=()))
        self.layers: dict[str, LayerRecord] = {layer.path: layer for layer in program.layers}
        self.owners = {weight: layer for layer in program.layers for weight in layer.weights}
        self.order = {layer.path: number for number, layer in enumerate(program.layers)}
        self.spans = {weight.name: weight.span for weight in program.weights}

    def calls(self, clocks: Clocks, seconds: Sequence[float], counts: Sequence[float]) -> tuple[Call, ...]:
        """In the order of the layers. A node's operations are those of its call that takes longest: the others prepare it."""
        longest: dict[tuple[str, str, str], int] = {}
        for number, timed in enumerate(clocks.calls):
            key = (timed.node.name, timed.role, timed.weight)
            if timed.role != "step" and seconds[number] >= seconds[longest.get(key, number)]:
                longest[key] = number
        working = set(longest.values())
        found = [
            self._call(timed, seconds[number], counts[number], number in working)
            for number, timed in enumerate(clocks.calls)
            if counts[number]
        ]
        return tuple(sorted(found, key=lambda call: self.order.get(call.layer, len(self.order))))

    def _call(self, timed: Timed, seconds: float, count: float, working: bool) -> Call:
        layer, text, where = self._layer(timed)
        moved = timed.moved
        size = (moved.row * self.rows + moved.whole) * self.itemsize + moved.data * self.rows
        ops = ", ".join(dict.fromkeys(part.op for part in timed.node.body or (timed.node,)))
        flops = self.flops(timed.node) if working else 0
        named = timed.weight if timed.role == "step" else ops
        return Call(layer, text, where, timed.kernel, self._direction(timed), named, count, seconds, flops, size)

    def _direction(self, timed: Timed) -> Direction:
        if timed.role == "step":
            return "update"
        return "forward" if timed.role == "launch" and timed.node.name in self.forward else "backward"

    def _layer(self, timed: Timed) -> tuple[str, str, str]:
        """(path, text as written, place): the layer whose share of the node's operations is the largest."""
        if timed.weight:
            owner = self.owners.get(timed.weight)
            if owner is None:
                return timed.weight, "weight", place(self.spans[timed.weight])
            return owner.path, owner.text, place(owner.span)
        parts = [part for part in timed.node.body or (timed.node,) if part.layer in self.layers]
        if parts:
            layer = self.layers[max(parts, key=self._flops_of_part).layer]
            return layer.path, layer.text, place(layer.span)
        where = place(timed.node.origin[0])
        parts = [*(timed.node.body or (timed.node,))]
        if all(part.op in SOURCES or part.op in ("rescale", "cast") for part in parts):
            return DATA, "", where
        loss, training = self.program.graph.loss, self.program.training
        if loss is not None and training is not None and timed.node.origin[0] in self.program.graph[loss].origin:
            return LOSS, training.loss, where
        return parts[0].layer or where, "", where

    def flops(self, node: Node) -> int:
        return sum(self._flops_of_part(part) for part in node.body or (node,))

    def _flops_of_part(self, part: Node) -> int:
        """Of a whole batch."""
        if part.op in SOURCES or any(name not in self.types for name in part.inputs):
            return 0
        types = [self.types[name] for name in part.inputs]
        rows = self.rows if part.type.batched or any(type.batched for type in types) else 1
        keywords: Mapping[str, Any] = part.keywords
        return OPS[part.op].cost(types, part.type, keywords).flops * rows
