"""What a picture shows, before anything has a place: cards in nested frames, and values that flow between cards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Union

# Of a layer or op: decides the colour.
Kind = Literal[
    "input", "target", "output", "loss", "weights", "activation", "norm", "random", "shape", "plain", "weight"
]
Form = Literal["card", "pill", "circle", "chip"]


@dataclass(frozen=True, slots=True)
class Part:
    """A line of a card.

    text    the call: `dense(64)`; its name is what stands before the parenthesis
    name    what the user calls it, where that says more: `stem`
    note    a small remark at the right: how many parameters
    tip     lines of the tooltip
    place   of the call in the source: copies of a `repeat` agree in it
    shared  "weights of tower", where they were not made here
    """

    text: str
    kind: Kind
    tip: tuple[str, ...] = ()
    name: str = ""
    note: str = ""
    place: tuple[str, int, int] = ("", 0, 0)
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One box with one or several parts; operators are circles, functions of tensors chips, ends of the model pills."""

    id: str
    parts: tuple[Part, ...]
    form: Form = "card"


@dataclass(frozen=True, slots=True)
class Frame:
    """A group with a title: a block, copies of a `repeat`, a function. `badge` stands at the right of the title."""

    id: str
    title: str
    items: tuple[Item, ...]
    badge: str = ""
    tip: tuple[str, ...] = ()
    place: tuple[str, int, int] = ("", 0, 0)
    shared: str = ""
    column: bool = False  # its rows are those of the frames beside it


Item = Union[Card, Frame]


@dataclass(frozen=True, slots=True)
class Edge:
    """`value` flows from one card to another; edges of one value share their way. `label` is its type."""

    value: str
    source: str
    target: str
    label: str = ""
    style: Literal["data", "gradient", "kept"] = "data"


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture. `doc` is the model's own description."""

    title: str
    doc: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]


def cards(item: Item) -> Iterator[Card]:
    """The cards of an item, in order."""
    if isinstance(item, Card):
        yield item
        return
    for inner in item.items:
        yield from cards(inner)


def frames(items: tuple[Item, ...]) -> Iterator[Frame]:
    """All frames, the outer ones first."""
    for item in items:
        if isinstance(item, Frame):
            yield item
            yield from frames(item.items)
