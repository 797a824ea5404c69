"""What the elaborator carries along: the report, the names in sight, the graph being built."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kdsl.elaborate.program import LayerRecord, WeightRecord
from kdsl.elaborate.report import Report
from kdsl.elaborate.scope import Bound, Meaning, NamedStep, Place, Scope
from kdsl.graph.builder import Builder
from kdsl.source import Span
from kdsl.syntax import tree

MOST_LAYERS = 10_000
MOST_BYTES = 2**40


@dataclass(frozen=True)
class Items:
    """The items of a file by name. `unread` are names that damaged items may have bound; `any_unread`: one lost its name."""

    models: dict[str, tree.Model]
    blocks: dict[str, tree.Block]
    fns: dict[str, tree.Fn]
    imported: frozenset[str]
    unread: frozenset[str]
    any_unread: bool

    def later_feature(self, name: str) -> bool:
        """A block, fn or import: already reported where it is defined."""
        return name in self.blocks or name in self.fns or name in self.imported or name in self.unread


@dataclass
class Work:
    """What one model has grown so far."""

    build: Builder = field(default_factory=Builder)
    layers: list[LayerRecord] = field(default_factory=list)
    weights: dict[str, WeightRecord] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # weight -> path of the layer that made it
    mismatched: set[tuple[str, str]] = field(default_factory=set)  # (prediction, target) pairs refused already
    bytes: int = 0  # of all weights, in float32
    exhausted: bool = False  # a limit was reached and reported: stay silent and stop growing


@dataclass(frozen=True)
class Context:
    """One body, and the place in it. `work` is None where only compile-time values are allowed."""

    report: Report
    items: Items
    scope: Scope
    place: Place = field(default_factory=Place)
    work: Work | None = None
    what: str = ""  # what is being computed, where that must be known when compiled: "a `dim`"
    flow: tree.Value | None = None  # the source of the flow, at its first step

    def bind(self, name: str, meaning: Meaning | NamedStep, span: Span) -> None:
        self.scope.names[name] = Bound(meaning, span)

    def within(self, scope: Scope) -> Context:
        return replace(self, scope=scope)

    def at(self, place: Place) -> Context:
        return replace(self, place=place)

    def only_constants(self, what: str) -> Context:
        """Where nothing may be added to the graph."""
        return replace(self, work=None, what=what)

    def for_binding(self, name: str) -> Context:
        """For the right side of `name = ...`: layers made there are called `name.layer`."""
        return replace(self, place=self.place.binding(name))
