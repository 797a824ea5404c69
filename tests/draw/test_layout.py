"""Pictures are laid out soundly: frames contain their members, boxes do not touch, edges run through no box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pytest
from drawn_models import MODELS, corpus, program, scene

from kdsl.draw.columns import isotonic, median
from kdsl.draw.dataflow import dataflow
from kdsl.draw.fold import folded
from kdsl.draw.layout import lay_out
from kdsl.draw.places import Box, Plan, Way
from kdsl.draw.rows import arrange, crossings, rank
from kdsl.draw.scene import Card, Frame, Item, Scene, cards, frames
from kdsl.draw.sizes import APART, HEADER

EVERY = [(name, text, expand) for name, text in MODELS.items() for expand in (False, True)]


@dataclass
class Drawn:
    scene: Scene
    plan: Plan


def drawn(found: Scene) -> Drawn:
    return Drawn(found, lay_out(found.items, found.edges))


def inside(inner: Box, outer: Box, top: float = 0.0) -> bool:
    return (
        outer.x <= inner.x
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and outer.y + top <= inner.y
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


def overlap(a: Box, b: Box) -> bool:
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    along = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return across > 0.01 and along > 0.01


def points(way: Way) -> Iterator[tuple[float, float]]:
    """Places on an edge, its ends left out."""
    if way.side:
        yield from ((way.x1, way.y1 + (way.y2 - way.y1) * part / 20) for part in range(1, 20))
        yield from ((way.x1 + (way.x2 - way.x1) * part / 20, way.y2) for part in range(1, 20))
        return
    yield from ((way.x1, way.y1 + (way.bend - way.y1) * part / 10) for part in range(1, 10))
    for part in range(1, 20):
        t = part / 20
        bent = 3 * t**2 - 2 * t**3
        middle = (way.bend + way.unbend) / 2
        y = way.bend * (1 - t) ** 3 + 3 * middle * t * (1 - t) + way.unbend * t**3
        yield way.x1 + (way.x2 - way.x1) * bent, y
    yield from ((way.x2, way.unbend + (way.y2 - way.unbend) * part / 10) for part in range(1, 10))


def siblings(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    yield items
    for item in items:
        if isinstance(item, Frame):
            yield from siblings(item.items)


def check(found: Drawn) -> None:
    boxes = found.plan.boxes
    for group in siblings(found.scene.items):
        for a, b in combinations(group, 2):
            assert not overlap(boxes[a.id], boxes[b.id]), (a.id, b.id)
    for frame in frames(found.scene.items):
        for item in frame.items:
            assert inside(boxes[item.id], boxes[frame.id], HEADER), (item.id, frame.id)
    leaves = [boxes[card.id] for item in found.scene.items for card in cards(item)]
    page = Box(0, 0, found.plan.width, found.plan.height)
    assert all(inside(boxes[item.id], page) for item in found.scene.items)
    for way in found.plan.ways:
        assert way.y2 >= way.y1 - 0.01
        for x, y in points(way):
            assert inside(Box(x, y, 0, 0), page)
            for box in leaves:
                within = box.x + 0.5 < x < box.x + box.width - 0.5 and box.y + 0.5 < y < box.y + box.height - 0.5
                assert not within, (way, box)


@pytest.mark.parametrize(("name", "text", "expand"), EVERY, ids=[f"{n}-{e}" for n, _, e in EVERY])
def test_pictures_are_sound(name: str, text: str, expand: bool) -> None:
    check(drawn(scene(text, expand=expand)))


def test_pictures_of_the_corpus_are_sound() -> None:
    found = corpus()
    assert len(found) >= 10
    for model in found.values():
        for depth in (None, 0, 1):
            check(drawn(folded(dataflow(model), depth)))


def test_every_edge_reaches_its_card() -> None:
    found = drawn(scene(MODELS["residual"]))
    arrows = [way for way in found.plan.ways if way.arrow]
    for edge in found.scene.edges:
        box = found.plan.boxes[edge.target]
        near = [
            w
            for w in arrows
            if box.x - 1 <= w.x2 <= box.x + box.width + 1 and box.y - 1 <= w.y2 <= box.y + box.height / 2 + 1
        ]
        assert near, edge


def test_chains_are_straight() -> None:
    found = drawn(scene(MODELS["deep"]))
    middles = {
        round(found.plan.boxes[i.id].x + found.plan.boxes[i.id].width / 2, 3)
        for i in found.scene.items
        if not (isinstance(i, Card) and i.parts[0].kind in ("target", "loss", "output"))
    }
    assert len(middles) == 1


def test_the_shortcut_goes_round_the_block() -> None:
    found = drawn(scene(MODELS["residual"]))
    frame = next(f for f in frames(found.scene.items) if f.badge)
    box, members = found.plan.boxes[frame.id], [found.plan.boxes[item.id] for item in frame.items]
    passing = [way for way in found.plan.ways if way.side and box.y < way.y2 < box.y + box.height]
    assert passing and all(way.x1 > max(member.x + member.width for member in members) for way in passing)


def test_rows() -> None:
    assert rank(4, [(0, 1), (1, 2), (3, 2)], frozenset(), frozenset()) == [0, 1, 2, 1]  # 3 stands right above 2
    assert rank(3, [(0, 1), (0, 2)], frozenset([0]), frozenset([2])) == [0, 1, 2]
    with pytest.raises(ValueError, match="circle"):
        rank(2, [(0, 1), (1, 0)], frozenset(), frozenset())


def test_crossings_are_undone() -> None:
    rows, edges = [[0, 1, 2], [3, 4, 5]], [(0, 5), (1, 4), (2, 3)]
    below = {0: [5], 1: [4], 2: [3]}
    assert crossings(rows, below) == 3
    assert crossings(arrange(rows, edges), below) == 0


def test_isotonic_regression() -> None:
    assert isotonic([(0, 1), (5, 1), (3, 1), (9, 1)]) == [0, 4, 4, 9]
    assert isotonic([(9, 1), (1, 3)]) == [1, 1]
    assert median([(1, 1), (2, 1), (10, 1)]) == 2
    assert median([(1, 1), (3, 1)]) == 2


def test_a_scene_of_nothing() -> None:
    assert lay_out((), ()).boxes == {}


def test_hundred_layers_are_quick() -> None:
    found = drawn(scene(MODELS["deep"], expand=True))
    assert len(found.plan.boxes) > 140
    assert program(MODELS["deep"]).name == "Deep"


def test_branches_stand_close_to_each_other() -> None:
    found = drawn(scene(MODELS["residual"]))
    frame = next(frame for frame in frames(found.scene.items) if frame.title == "Residual(32)")
    row = sorted((found.plan.boxes[item.id] for item in frame.items), key=lambda box: box.y)[:2]
    left, right = sorted(row, key=lambda box: box.x)
    assert right.x - left.x - left.width <= APART + 1
