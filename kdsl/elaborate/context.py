"""What the elaborator carries along: the report, the names in sight, the graph being built."""

from __future__ import annotations

from kdsl.elaborate.program import CallRecord, LayerRecord, WeightRecord
from kdsl.elaborate.report import Report
from kdsl.elaborate.scope import Bound, Meaning, Named, Place, Scope
from kdsl.graph.builder import Builder
from kdsl.records import dataclass, field, replace
from kdsl.source import Span
from kdsl.syntax import tree

MOST_LAYERS = 10_000
MOST_NODES = 30_000
MOST_CALLS = 20_000  # of blocks and fns, in a whole file
DEEPEST = 40  # blocks and fns within each other
MOST_BYTES = 2**40


@dataclass(frozen=True)
class Items:
    """The items of a file by name. `unread` are names that damaged items may have bound; `any_unread`: one lost its name."""

    models: dict[str, tree.Model]
    unread: frozenset[str]
    any_unread: bool

    def later_feature(self, name: str) -> bool:
        """Something that could not be read: already reported where it is defined."""
        return name in self.unread


@dataclass
class Effort:
    """What the blocks and fns of a whole elaboration have cost, so that none of it grows without end.

    `sizes` are the layers that a block or fn writes out, at least 1; `operations` its operators; `entered` those whose body was looked at;
    `circular` those that use themselves.
    """

    calls: int = 0
    told: bool = False  # that there are too many calls where nothing flows
    limited: bool = False  # a limit was reached somewhere
    sizes: dict[int, int] = field(default_factory=dict)
    operations: dict[int, int] = field(default_factory=dict)
    entered: set[int] = field(default_factory=set)
    circular: set[int] = field(default_factory=set)


@dataclass
class Work:
    """What one model has grown so far."""

    build: Builder = field(default_factory=Builder)
    layers: list[LayerRecord] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)
    weights: dict[str, WeightRecord] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # weight -> path of the layer that made it
    mismatched: set[tuple[str, ...]] = field(default_factory=set)  # what does not fit together and was refused already
    bytes: int = 0  # of all weights, in float32
    exhausted: bool = False  # a limit was reached and reported: stay silent and stop growing


@dataclass(frozen=True)
class Context:
    """One body, and the place in it. `work` is None where only compile-time values are allowed.

    depth    of blocks and fns around this body
    formula  name of the fn whose body this is, else empty
    unsized  a body that nothing calls is looked at without knowing what flows in
    """

    report: Report
    items: Items
    scope: Scope
    place: Place = field(default_factory=Place)
    work: Work | None = None
    what: str = ""  # what is being computed, where that must be known when compiled: "a `dim`"
    flow: tree.Value | None = None  # the source of the flow, at its first step
    comparing: str = (
        ""  # "loss" or "metrics": what may be called by the names of losses and metrics, fn bodies included
    )
    effort: Effort = field(default_factory=Effort)
    depth: int = 0
    formula: str = ""
    unsized: bool = False

    def bind(self, name: str, meaning: Meaning | Named, span: Span) -> None:
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
