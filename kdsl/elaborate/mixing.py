"""`augment = [mixup]`: the inputs of each sample mixed with those of the next one, and the targets that they are compared with.

A target is mixed where it is read, so that every reader gets what it can use. A class becomes a share for each class, and
what compares with a class compares with shares. Only `binary_accuracy` compares with one of the two answers, that of the
larger share.
"""

from __future__ import annotations

from kdsl.graph.builder import Builder
from kdsl.graph.graph import Node
from kdsl.ops.cast import as_float
from kdsl.ops.mixing import WITH_SHARES
from kdsl.records import dataclass, field, replace
from kdsl.source import Span

MOVES = frozenset({"cast", "reshape", "slice", "transpose", "one_hot"})
"""Ops behind a target that may as well stand before the mixing."""


class WantsWholeNumbers(Exception):
    """A node reads what is no whole number any more, and wants one; `source` is the input or target."""

    def __init__(self, node: Node, source: str) -> None:
        super().__init__(node.name)
        self.node, self.source = node, source


def conditions(node: Node) -> tuple[str, ...]:
    """The operands that are read as true or false."""
    if node.op == "where":
        return node.inputs[:1]
    return node.inputs if node.op.startswith("logical_") else ()


@dataclass
class Targets:
    """The targets of a graph while its readers are gone through in order; `build` takes the new nodes.

    shares   for each mixing in turn the value that says how much of every sample stays, and where it is written
    sources  value -> the target that it is, or is a part of
    made     (value, whether by the larger share) -> what became of it
    """

    build: Builder
    shares: list[tuple[str, Span]] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, bool], str] = field(default_factory=dict)

    def read_by(self, node: Node) -> Node:
        """The node with mixed operands, and another op where it compared with classes."""
        if node.op == "target":
            self.sources[node.name] = node.name
        if not any(name in self.sources for name in node.inputs):
            return node
        if node.op in MOVES:
            self.sources[node.name] = self.sources[node.inputs[0]]
            return node
        if node.op in WITH_SHARES:
            scores, target = node.inputs
            return replace(node, op=WITH_SHARES[node.op], inputs=(scores, self._mixed(target)))
        larger = node.op == "binary_accuracy"
        return replace(node, inputs=tuple(self._operand(node, name, larger) for name in node.inputs))

    def _operand(self, node: Node, value: str, larger: bool) -> str:
        if value not in self.sources:
            return value
        if self.build.type_of(value).dtype != "f32" or value in conditions(node):
            raise WantsWholeNumbers(node, self.sources[value])
        return self._mixed(value, larger)

    def _mixed(self, value: str, larger: bool = False) -> str:
        key = value, larger
        if key not in self.made:
            with self.build.at(self.shares[0][1]):
                mixed = self._numbers(value)
            for share, at in self.shares:
                with self.build.at(at):
                    share = self._rounded(share) if larger else share
                    mixed = self.build.add("mix_rows", [mixed, share], name=f"{value}.mixed")
            self.made[key] = mixed
        return self.made[key]

    def _numbers(self, value: str) -> str:
        classes = self.build.type_of(value).classes
        if classes is None:
            return value
        return self.build.add("one_hot", [value], {"classes": classes}, name=f"{value}.shares")

    def _rounded(self, share: str) -> str:
        half = self.build.constant(0.5, f"{share}.half")
        return as_float(self.build, self.build.add("greater_equal", [share, half], name=f"{share}.larger"))
