"""The computation view and the function view."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from drawn_models import MODELS, corpus, program
from test_layout import check, drawn, overlap

from kdsl.draw.computation import computation
from kdsl.draw.dot import dot
from kdsl.draw.functions import functions
from kdsl.draw.layout import lay_out
from kdsl.draw.mermaid import mermaid
from kdsl.draw.scene import Scene, cards, frames
from kdsl.draw.svg import svg
from kdsl.passes.pipeline import make_graphs, optimise, slice_graph
from kdsl.plan.model import plan_model
from kdsl.plan.names import RESERVED

UNTRAINED = """
model Plain {
  input x: f32[4]
  output y = x -> dense(3) -> relu
}
"""


def texts(found: Scene) -> list[str]:
    return [part.text for item in found.items for card in cards(item) for part in card.parts]


@pytest.mark.parametrize("name", MODELS)
def test_every_op_is_drawn_once(name: str) -> None:
    model = program(MODELS[name])
    graph = optimise(slice_graph(model.graph, "train"), until="dead_code")
    wanted = sum(node.op not in ("weight", "constant") for node in graph)
    assert len(texts(computation(model))) == wanted


@pytest.mark.parametrize("name", MODELS)
def test_columns_share_rows_and_gradients_go_up(name: str) -> None:
    found = computation(program(MODELS[name]))
    plan = lay_out(found.items, found.edges)
    forward, backward = (plan.boxes[item.id] for item in found.items)
    assert not overlap(forward, backward) and (forward.y, forward.height) == (backward.y, backward.height)
    second = {card.id for card in cards(found.items[1])}
    for edge in found.edges:
        a, b = plan.boxes[edge.source], plan.boxes[edge.target]
        if edge.source in second:
            assert b.y + b.height <= a.y and edge.style == "gradient"
        elif edge.target not in second:
            assert a.y + a.height <= b.y and edge.style == "data"
        else:
            assert edge.style == "kept"
    boxes = [plan.boxes[card.id] for item in found.items for card in cards(item)]
    for number, a in enumerate(boxes):
        assert not any(overlap(a, b) for b in boxes[:number])


def test_gradients_stand_beside_their_layers() -> None:
    found = computation(program(MODELS["perceptron"]))
    plan = lay_out(found.items, found.edges)
    places = {p.note or p.text: plan.boxes[c.id].y for i in found.items for c in cards(i) for p in c.parts}
    assert places["for hidden.kernel"] == places["for hidden.bias"] < places["for logits.dense.kernel"]
    assert places["matmul(hidden.kernel)"] < places["matmul(logits.dense.kernel)"]
    assert places["sparse_softmax_cross_entropy_gradient(1)"] >= places["sparse_softmax_cross_entropy"]


def test_computation_without_training() -> None:
    found = computation(program(UNTRAINED))
    assert [item.id for item in found.items] == ["forward"]
    assert texts(found) == ["x", "matmul(y.dense.kernel)", "add_bias(y.dense.bias)", "relu", "y"]


@pytest.mark.parametrize("name", MODELS)
def test_every_call_of_the_module_is_drawn(name: str) -> None:
    model = program(MODELS[name])
    plan = plan_model(model, make_graphs(model), RESERVED)
    found = functions(model)
    launches = sum(len(made.launches) for made in plan.functions)
    shown = [card for item in found.items for card in cards(item) if card.form == "card"]
    assert len(shown) == launches + len(plan.weight_steps)
    assert [item.title for item in found.items] == ["predict", "evaluate", "train"]
    if name != "deep":  # too large to look at every pair of boxes
        check(drawn(found))


def test_functions_show_data_buffers_and_updates() -> None:
    found = functions(program(MODELS["perceptron"]))
    train = found.items[2]
    assert [card.parts[0].text for card in cards(train) if card.form == "pill"] == ["x", "y"]
    updates = next(frame for frame in frames(found.items) if frame.title.startswith("update"))
    weights = {card.id: card.parts[0].text for card in cards(updates)}
    assert set(weights.values()) == {"hidden.kernel", "hidden.bias", "logits.dense.kernel", "logits.dense.bias"}
    assert {weights[edge.target] for edge in found.edges if edge.target in weights} == set(weights.values())


def test_functions_without_training() -> None:
    assert [item.title for item in functions(program(UNTRAINED)).items] == ["predict"]


def test_other_views_of_the_corpus() -> None:
    for model in corpus().values():
        found = computation(model)
        ElementTree.fromstring(svg(found))
        assert svg(found) == svg(computation(model))
        for write in (dot, mermaid):
            assert write(found)
