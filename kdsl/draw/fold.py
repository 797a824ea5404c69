"""Makes a picture shorter: steps that follow each other on one card, copies of a `repeat` once, deep blocks closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from kdsl.draw.scene import Card, Edge, Frame, Item, Part, Scene, cards

LONGEST = 6  # items in a copy that is looked for
STACKED = ("activation", "random", "shape", "norm")


def folded(scene: Scene, depth: int | None = None, expand: bool = False) -> Scene:
    """`depth` levels of blocks stay open; `expand` keeps every copy of a `repeat`."""
    items, edges = scene.items, scene.edges
    if depth is not None:
        items, edges = _closed(items, edges, depth)
    items, edges = stacked(items, edges)
    items = tuple(_sharing(item) for item in items)
    if not expand:
        items, edges = _copies(items, edges)
    return replace(scene, items=items, edges=edges)


def _renamed(edges: Sequence[Edge], names: dict[str, str]) -> tuple[Edge, ...]:
    """Edges between other cards; those that would lead from a card to itself are gone."""
    found: dict[tuple[str, str, str], Edge] = {}
    for edge in edges:
        source, target = names.get(edge.source, edge.source), names.get(edge.target, edge.target)
        if source != target:
            moved = replace(edge, value=names.get(edge.value, edge.value), source=source, target=target)
            found.setdefault((moved.value, source, target), moved)
    return tuple(found.values())


# -- blocks that are closed ------------------------------------------------------------------------------------------


def _closed(items: Sequence[Item], edges: tuple[Edge, ...], depth: int) -> tuple[tuple[Item, ...], tuple[Edge, ...]]:
    """Blocks more than `depth` levels deep become cards."""
    names: dict[str, str] = {}

    def close(item: Item, left: int) -> Item:
        if isinstance(item, Card):
            return item
        if left > 0:
            return replace(item, items=tuple(close(inner, left - 1) for inner in item.items))
        inside = list(cards(item))
        names.update({card.id: item.id for card in inside})
        shared = next((part.shared for card in inside for part in card.parts if part.shared), "")
        count = sum(int(part.note.replace(",", "")) for card in inside for part in card.parts if part.note)
        note = f"{count:,}" if count else ""
        return Card(item.id, (Part(item.title, "weights", item.tip, "", note, item.place, shared),))

    made = tuple(close(item, depth) for item in items)
    types: dict[str, dict[str, str]] = {}
    for edge in edges:
        if names.get(edge.source, edge.source) != names.get(edge.target, edge.target):
            types.setdefault(names.get(edge.source, edge.source), {})[edge.value] = edge.label
    labels = {source: ", ".join(found.values()) for source, found in types.items()}
    return made, tuple(replace(edge, label=labels[edge.source]) for edge in _renamed(edges, names))


# -- cards of several steps ------------------------------------------------------------------------------------------


def stacked(items: Sequence[Item], edges: tuple[Edge, ...]) -> tuple[tuple[Item, ...], tuple[Edge, ...]]:
    """A step without weights that keeps the shape joins the card whose value only it reads."""
    readers = Counter(edge.source for edge in edges)
    arriving = Counter(edge.target for edge in edges)
    labels = {edge.source: edge.label for edge in edges}
    before = {edge.target: edge.source for edge in edges}
    names: dict[str, str] = {}

    def joined(members: Sequence[Item]) -> tuple[Item, ...]:
        made: dict[str, Item] = {}
        for item in members:
            if isinstance(item, Frame):
                made[item.id] = replace(item, items=joined(item.items))
                continue
            source = before.get(item.id, "")
            above = names.get(source, source)
            target = made.get(above)
            fits = item.form == "card" and item.parts[0].kind in STACKED and not item.parts[0].note
            alone = arriving[item.id] == 1 and readers[source] == 1
            same = labels.get(source) == labels.get(item.id)
            if fits and alone and same and isinstance(target, Card) and target.form == "card":
                made[above] = replace(target, parts=target.parts + item.parts)
                names[item.id] = above
            else:
                made[item.id] = item
        return tuple(made.values())

    whole = joined(items)
    return whole, _renamed(edges, names)


def _sharing(item: Item) -> Item:
    """Says once at a frame what all its layers would say: that their weights were made elsewhere."""
    if isinstance(item, Card):
        return item
    items = tuple(_sharing(inner) for inner in item.items)
    parts = [part for card in cards(replace(item, items=items)) for part in card.parts]
    own = any(part.note for part in parts) or any(part.kind == "weight" for part in parts)
    if own or not any(part.shared for part in parts):
        return replace(item, items=items)
    path = item.id.removeprefix("frame:")
    first = next(part for part in parts if part.shared)
    inner = first.tip[0].removeprefix(path)  # where in this frame; the maker has it in the same place
    maker = first.shared.removesuffix(inner)
    return replace(item, items=tuple(_unshared(each) for each in items), shared=maker)


def _unshared(item: Item) -> Item:
    if isinstance(item, Frame):
        return replace(item, items=tuple(map(_unshared, item.items)), shared="")
    return replace(item, parts=tuple(replace(part, shared="") for part in item.parts))


# -- copies ----------------------------------------------------------------------------------------------------------


def _copies(items: tuple[Item, ...], edges: tuple[Edge, ...]) -> tuple[tuple[Item, ...], tuple[Edge, ...]]:
    """Copies of a `repeat` that are alike and follow each other are drawn once."""
    names: dict[str, str] = {}
    types = _types(edges)

    def once(members: tuple[Item, ...]) -> tuple[Item, ...]:
        members = tuple(replace(m, items=once(m.items)) if isinstance(m, Frame) else m for m in members)
        looks = [_looks(member, types) for member in members]
        made: list[Item] = []
        at = 0
        while at < len(members):
            length, times = _run(members, looks, edges, at)
            if times < 2:
                made.append(members[at])
                at += 1
                continue
            first = members[at : at + length]
            for number in range(1, times):
                start = at + number * length
                for old, new in zip(members[start : start + length], first, strict=True):
                    names.update(_pairs(old, new))
            made.append(_badged(first, times, members[at + length : at + length * times]))
            at += length * times
        return tuple(made)

    whole = once(items)
    for old in list(names):
        while names[old] in names:
            names[old] = names[names[old]]
    return whole, _without_circles(_renamed(edges, names), whole)


def _without_circles(edges: tuple[Edge, ...], items: tuple[Item, ...]) -> tuple[Edge, ...]:
    """Without the edges that led from one copy to the next, which now lead backwards."""
    order = {card.id: number for number, card in enumerate(card for item in items for card in cards(item))}
    return tuple(edge for edge in edges if order[edge.source] < order[edge.target])


def _types(edges: Sequence[Edge]) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Card -> the types of what flows in and out."""
    coming: dict[str, set[str]] = {}
    leaving: dict[str, set[str]] = {}
    for edge in edges:
        coming.setdefault(edge.target, set()).add(edge.label)
        leaving.setdefault(edge.source, set()).add(edge.label)
    every = coming.keys() | leaving.keys()
    return {card: (frozenset(coming.get(card, ())), frozenset(leaving.get(card, ()))) for card in every}


def _looks(item: Item, types: dict[str, tuple[frozenset[str], frozenset[str]]]) -> object:
    """What copies have in common: place in the source, text, types."""
    if isinstance(item, Frame):
        return item.place, item.title, tuple(_looks(inner, types) for inner in item.items)
    return tuple((part.place, part.text) for part in item.parts), item.form, types.get(item.id)


def _run(members: tuple[Item, ...], looks: list[object], edges: tuple[Edge, ...], at: int) -> tuple[int, int]:
    """(items of a copy, copies) of the run that begins at `at`."""
    for length in range(1, LONGEST + 1):
        times = 1
        while looks[at : at + length] == looks[at + times * length : at + (times + 1) * length] and _follows(
            members[at + (times - 1) * length : at + times * length],
            members[at + times * length : at + (times + 1) * length],
            edges,
        ):
            times += 1
        if times > 1:
            return length, times
    return 1, 1


def _follows(before: Sequence[Item], after: Sequence[Item], edges: tuple[Edge, ...]) -> bool:
    """Whether all that leaves one copy goes to the next, and all that comes into that one is from there."""
    first = {card.id for item in before for card in cards(item)}
    second = {card.id for item in after for card in cards(item)}
    leaving = [edge for edge in edges if edge.source in first and edge.target not in first]
    coming = [edge for edge in edges if edge.target in second and edge.source not in second]
    ends = {edge.source for edge in coming}
    return bool(leaving) and len(ends) == 1 and ends <= first and all(edge.target in second for edge in leaving)


def _pairs(old: Item, new: Item) -> dict[str, str]:
    return {a.id: b.id for a, b in zip(cards(old), cards(new), strict=True)}


def _badged(first: Sequence[Item], times: int, rest: Sequence[Item]) -> Item:
    shared = any(isinstance(i, Frame) and i.shared for i in rest) or any(
        part.shared for item in rest for card in cards(item) for part in card.parts
    )
    badge = f"× {times}" + (", one set of weights" if shared else "")
    only = first[0]
    if len(first) == 1 and isinstance(only, Frame) and not only.badge:
        return replace(only, badge=badge, tip=(f"{times} copies", *only.tip))
    name = next(cards(only)).id
    return Frame(f"copies:{name}", "repeat", tuple(first), badge, (f"{times} copies",))
