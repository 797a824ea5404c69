"""Builds a graph node by node: types are inferred by the ops, names are made unique, origins are mandatory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from kdsl.graph.graph import Attribute, Graph, Node, attributes_of
from kdsl.graph.types import TensorType
from kdsl.source import Span


class Builder:
    """Collects nodes in execution order. `at` says which source and layer the next nodes come from."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self.nodes: list[Node] = []
        self._index: dict[str, Node] = {}
        self._numbers: dict[str, int] = {}  # name -> the first number that may be free behind it
        self._origin: tuple[Span, ...] = ()
        self._layer = ""
        for node in nodes:
            self.append(node)

    @contextmanager
    def at(self, *origin: Span, layer: str = "") -> Iterator[None]:
        before = self._origin, self._layer
        self._origin, self._layer = origin, layer
        try:
            yield
        finally:
            self._origin, self._layer = before

    def append(self, node: Node) -> str:
        """A finished node, as it is."""
        if node.name in self._index:
            raise ValueError(f"the value {node.name} is defined twice")
        self.nodes.append(node)
        self._index[node.name] = node
        return node.name

    def exchange(self, place: int, node: Node) -> None:
        """Another node of the same name and type in the place of an earlier one."""
        assert (node.name, node.type) == (self.nodes[place].name, self.nodes[place].type)
        self.nodes[place] = self._index[node.name] = node

    def source(self, op: str, name: str, type: TensorType, attributes: Mapping[str, Attribute] | None = None) -> str:
        """An `input`, `target`, `weight` or `constant`: what no op infers."""
        return self.append(
            Node(self.fresh(name), op, (), attributes_of(attributes or {}), type, self._origin, self._layer)
        )

    def add(
        self, op: str, inputs: Sequence[str], attributes: Mapping[str, Attribute] | None = None, name: str = ""
    ) -> str:
        """One op applied to earlier values -> the new value's name. `name` is made unique; default: layer and op."""
        from kdsl.ops.registry import OPS

        values = attributes_of(attributes or {})
        type = OPS[op].infer([self.type_of(i) for i in inputs], dict(values))
        wanted = name or self.path(op)
        return self.append(Node(self.fresh(wanted), op, tuple(inputs), values, type, self._origin, self._layer))

    def constant(self, value: float | tuple[float, ...], name: str = "") -> str:
        """A number, or a vector along the last axis."""
        shape = (len(value),) if isinstance(value, tuple) else ()
        type = TensorType("f32", shape, batched=False)
        return self.source("constant", name or self.path("constant"), type, {"value": value})

    @property
    def layer(self) -> str:
        """Path of the layer whose nodes are being added; its last value is named by it. Empty outside of layers."""
        return self._layer

    def path(self, part: str) -> str:
        """`logits.dense.kernel` for the part `kernel` of the layer `logits.dense`."""
        return f"{self._layer}.{part}" if self._layer else part

    def type_of(self, value: str) -> TensorType:
        return self._index[value].type

    def op_of(self, value: str) -> str:
        """The op that makes a value."""
        return self._index[value].op

    def fresh(self, name: str) -> str:
        """`name`, or `name_2`, `name_3` ... where it is taken."""
        if name not in self._index:
            return name
        number = self._numbers.get(name, 2)
        while f"{name}_{number}" in self._index:
            number += 1
        self._numbers[name] = number
        return f"{name}_{number}"

    def graph(self, name: str) -> Graph:
        return Graph(name, tuple(self.nodes))
