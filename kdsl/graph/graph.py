"""The graph: a flat list of nodes in static single assignment form, in execution order.

A node is one op applied to earlier values; its name is the value's name. Four ops make values from outside: `input`,
`target`, `weight` and `constant`. One op, `fused`, stands for several others: its `body` runs in order, sees the fused
node's inputs, and its last value is the node's value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Union

from kdsl.graph.types import TensorType
from kdsl.records import dataclass, field, replace
from kdsl.source import Span

Attribute = Union[None, bool, int, float, str, tuple["Attribute", ...]]

SOURCES = frozenset({"input", "target", "weight", "constant"})
FUSED = "fused"


@dataclass(frozen=True, slots=True)
class Node:
    """`name = op(inputs, attributes) : type`.

    name        unique in its graph: letters, digits, `_` and `.`; made from the path of the layer it came from
    inputs      names of earlier values
    attributes  (name, value) pairs, sorted by name
    origin      the places in the source this came from, never empty; fusion and differentiation concatenate them
    layer       path of the layer it lowers (`logits.dense_2`), empty for what belongs to none
    body        the nodes a `fused` node stands for
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: tuple[tuple[str, Attribute], ...]
    type: TensorType
    origin: tuple[Span, ...]
    layer: str = ""
    body: tuple[Node, ...] = ()

    def attribute(self, name: str) -> Attribute:
        for key, value in self.attributes:
            if key == name:
                return value
        raise KeyError(f"{self.op} has no attribute {name}")

    @property
    def keywords(self) -> dict[str, Attribute]:
        return dict(self.attributes)

    def renamed(self, names: Mapping[str, str]) -> Node:
        """The same node reading other values: inputs found in `names` are replaced."""
        return replace(self, inputs=tuple(names.get(i, i) for i in self.inputs))


def attributes_of(mapping: Mapping[str, Attribute]) -> tuple[tuple[str, Attribute], ...]:
    return tuple(sorted(mapping.items()))


@dataclass(frozen=True)
class Graph:
    """One function of a model.

    outputs    (user's name, value) pairs: what `predict` returns, in order
    loss       the scalar that training minimises (mean over the batch), or None
    metrics    (name, value) pairs: scalars, each a mean over the batch
    gradients  (weight, value) pairs, once differentiated: the loss's gradient for each trainable weight
    updates    (weight, value) pairs: what a training step stores in weights that are not trained (moving statistics)
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, str], ...] = ()
    loss: str | None = None
    metrics: tuple[tuple[str, str], ...] = ()
    gradients: tuple[tuple[str, str], ...] = ()
    updates: tuple[tuple[str, str], ...] = ()
    _index: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {node.name: node for node in self.nodes})

    def __getitem__(self, name: str) -> Node:
        return self._index[name]

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def results(self) -> tuple[str, ...]:
        """Every value that leaves the graph: outputs, loss, metrics, gradients, updates; what dead code is measured by."""
        loss = () if self.loss is None else (self.loss,)
        pairs = (*self.outputs, *self.metrics, *self.gradients, *self.updates)
        return (*loss, *(value for _, value in pairs))

    def users(self) -> dict[str, list[Node]]:
        """Value -> the nodes that read it, in order."""
        found: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return found

    def of(self, op: str) -> list[Node]:
        return [node for node in self.nodes if node.op == op]

    def with_results(self, names: Mapping[str, str], nodes: tuple[Node, ...]) -> Graph:
        """Other nodes, and results renamed by `names` (values not in it keep their name)."""

        def moved(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
            return tuple((key, names.get(value, value)) for key, value in pairs)

        loss = None if self.loss is None else names.get(self.loss, self.loss)
        pairs = (moved(each) for each in (self.metrics, self.gradients, self.updates))
        return Graph(self.name, nodes, moved(self.outputs), loss, *pairs)
