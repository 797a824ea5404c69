"""Names and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Union

from kdsl.elaborate.constants import Constant
from kdsl.graph.types import TensorType
from kdsl.records import dataclass, field, replace
from kdsl.source import Span
from kdsl.syntax import tree

if TYPE_CHECKING:
    from kdsl.elaborate.context import Context


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a shape trail: a source or a layer, and what came out of it.

    `layer` is empty for an input. `weighted` says that the layer has weights.
    `sized` is the place that says the size: a layer's positional argument, an input's type. `inside` is the way through
    a block, where this is a call of one.
    """

    label: str
    type: TensorType
    span: Span
    layer: str = ""
    weighted: bool = False
    sized: Span | None = None
    before: Link | None = None
    inside: Link | None = None

    def chain(self) -> list[Link]:
        """From the input to this one, layer by layer."""
        found: list[Link] = []
        link: Link | None = self
        while link is not None:
            if link.inside is None:
                found.append(link)
                link = link.before
            else:
                link = link.inside
        return found[::-1]

    def steps(self) -> list[Link]:
        """The same, where a call of a block is one step."""
        found: list[Link] = []
        link: Link | None = self
        while link is not None:
            found.append(link)
            link = link.before
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the graph. `target` names the target it was computed from, if any."""

    value: str
    type: TensorType
    trail: Link
    target: str = ""


class Unknown:
    """A value that could not be made, for a reason already reported: whatever uses it stays silent."""


UNKNOWN = Unknown()
Meaning = Union[Constant, Tensor, Unknown]


class Named:
    """What has a name and is no value: something that stands after an arrow, or is called."""


@dataclass(frozen=True)
class NamedStep(Named):
    """What `as tower` names: the step, and the scope and weight path it was first run with."""

    step: tree.Layer | tree.Chain
    scope: Scope
    path: str
    copies: bool  # stands inside `repeat` or `for`: the name alone does not say which copy


@dataclass(frozen=True, eq=False)
class Definition(Named):
    """A block or fn, and its file: what its body sees besides its own names."""

    item: tree.Block | tree.Fn
    home: Context

    @property
    def kind(self) -> str:
        return "block" if isinstance(self.item, tree.Block) else "fn"


@dataclass(frozen=True, eq=False)
class LayerChoice(Named):
    """The value of a `layer` parameter: a step, and the body it was written in."""

    step: tree.Layer
    context: Context


@dataclass(frozen=True, slots=True)
class Bound:
    """A name's meaning and place. `missing`: nothing binds it so far; its first use was reported."""

    meaning: Meaning | Named
    span: Span
    missing: bool = False


@dataclass
class Scope:
    """The names of one body; those of `parent` are seen through it.

    owner   how messages call the body: a model's name
    later   names that a later statement of this body binds, with their places
    porous  a statement of this body could not be read: any name may be one that it bound
    """

    owner: str = ""
    parent: Scope | None = None
    names: dict[str, Bound] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)
    porous: bool = False

    def find(self, name: str) -> Bound | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def bound_later(self, name: str) -> Span | None:
        for scope in self.outwards():
            if name in scope.later:
                return scope.later[name]
        return None

    def is_porous(self) -> bool:
        return any(scope.porous for scope in self.outwards())

    def outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def visible(self) -> list[str]:
        """Every name, the innermost first."""
        pairs = (pair for scope in self.outwards() for pair in scope.names.items())
        return list(dict.fromkeys(name for name, bound in pairs if not bound.missing))

    def inner(self) -> Scope:
        return Scope(self.owner, self)


@dataclass(frozen=True)
class Place:
    """Where in a model the elaborator stands: what the layers and weights made there are called.

    root    path of the enclosing named step, which `as` names are added to; empty in a model's body
    path    what steps without a name of their own are added to: `root` and the binding
    copies  numbers of the `repeat` and `for` copies around this place

    `weight_root`, `weight_path` and `weight_copies` are the same for weights: they differ where a step runs again with
    weights that were made before.
    """

    root: str = ""
    path: str = ""
    copies: tuple[int, ...] = ()
    weight_root: str = ""
    weight_path: str = ""
    weight_copies: tuple[int, ...] = ()
    taken: dict[str, int] = field(default_factory=dict)
    given: dict[tuple[int, int], str] = field(default_factory=dict)

    def binding(self, name: str) -> Place:
        """On the right side of `name = ...`."""
        path, weight_path = _joined(self.root, name), _joined(self.weight_root, name)
        return Place(self.root, path, (), self.weight_root, weight_path)

    def copy(self, number: int, shared: bool) -> Place:
        """Inside copy `number` of a `repeat` or `for`."""
        own = self.weight_copies if shared else (*self.weight_copies, number)
        return replace(self, copies=(*self.copies, number), weight_copies=own)

    def inside(self, path: str, weight_path: str) -> Place:
        """Inside a named step."""
        return Place(path, path, (), weight_path, weight_path)

    def step(self, span: Span, layer: str, alias: str | None) -> tuple[str, str]:
        """(path of a layer, path of its weights). The second `dense` of a scope is `dense_2`; copies of a step agree."""
        if alias is not None:
            return _joined(self.root, alias, self.copies), _joined(self.weight_root, alias, self.weight_copies)
        name = self._own_name(span, layer)
        return _joined(self.path, name, self.copies), _joined(self.weight_path, name, self.weight_copies)

    def _own_name(self, span: Span, wanted: str) -> str:
        key = (span.start, span.stop)
        if key not in self.given:
            number = self.taken.get(wanted, 0) + 1
            self.taken[wanted] = number
            self.given[key] = wanted if number == 1 else f"{wanted}_{number}"
        return self.given[key]


def _joined(path: str, name: str, copies: tuple[int, ...] = ()) -> str:
    return ".".join([*([path] if path else []), name, *map(str, copies)])
