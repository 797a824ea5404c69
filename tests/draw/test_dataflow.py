"""What the data-flow view shows: layers, operators, blocks, shared weights; copies and deep blocks folded."""

from __future__ import annotations

from drawn_models import MODELS, program, scene

from kdsl.draw.dataflow import dataflow
from kdsl.draw.kinds import shown_call
from kdsl.draw.scene import Frame, Scene, cards, frames


def texts(found: Scene) -> list[str]:
    return [part.text for item in found.items for card in cards(item) for part in card.parts]


def titles(found: Scene) -> list[tuple[str, str]]:
    return [(frame.title, frame.badge) for frame in frames(found.items)]


def arrows(found: Scene) -> set[tuple[str, str]]:
    names = {c.id: c.parts[-1].text for item in found.items for c in cards(item)}
    firsts = {c.id: c.parts[0].text for item in found.items for c in cards(item)}
    return {(names[edge.source], firsts[edge.target]) for edge in found.edges}


def test_steps_that_keep_the_shape_share_a_card() -> None:
    found = scene(MODELS["perceptron"])
    rows = [[part.text for part in card.parts] for item in found.items for card in cards(item)]
    assert ["dense(8)", "relu", "dropout(0.1)"] in rows and ["softmax"] in rows
    assert [edge.label for edge in found.edges] == [
        "f32[4]",
        "f32[8]",
        "f32[3]",
        "f32[3]",
        "f32[3]",
        "index(3)",
    ] or len(found.edges) == 6


def test_ends_and_loss() -> None:
    found = scene(MODELS["perceptron"])
    kinds = {card.parts[0].text: (card.parts[0].kind, card.form) for item in found.items for card in cards(item)}
    assert kinds["x"] == ("input", "pill") and kinds["y"] == ("target", "pill") and kinds["p"] == ("output", "pill")
    assert kinds["cross_entropy(logits, y)"] == ("loss", "card")
    assert {("y", "cross_entropy(logits, y)"), ("dense(3)", "cross_entropy(logits, y)"), ("softmax", "p")} <= arrows(
        found
    )


def test_blocks_are_frames_and_operators_circles() -> None:
    found = dataflow(program(MODELS["residual"]))
    assert titles(found) == [("Residual", "")] * 3 + [("Residual(32)", "")] + [("Residual", "")] * 2
    signs = [card for item in found.items for card in cards(item) if card.form == "circle"]
    assert len(signs) == 6 and {sign.parts[0].text for sign in signs} == {"+"}
    first = next(frames(found.items))
    assert [card.parts[0].text for card in cards(first)] == ["dense(16)", "relu", "dense(16)", "+", "relu"]


def test_copies_are_drawn_once() -> None:
    found = scene(MODELS["residual"])
    assert titles(found) == [("Residual", "× 3"), ("Residual(32)", ""), ("Residual", "× 2")]
    assert ("relu", "dense(10)") in arrows(found)
    assert len(titles(scene(MODELS["residual"], expand=True))) == 6


def test_copies_of_several_steps_and_shared_ones() -> None:
    found = scene(MODELS["deep"])
    assert titles(found) == [("repeat", "× 60"), ("repeat", "× 20, one set of weights")]
    inner = next(frames(found.items))
    assert [[part.text for part in card.parts] for card in cards(inner)] == [["dense(8)"], ["layer_norm", "relu"]]


def test_copies_that_differ_are_not_folded() -> None:
    """The first copy reads another width than the second, the fourth makes another one."""
    text = MODELS["deep"].replace(
        "repeat 60 { dense(8) -> layer_norm -> relu }", "for n in [4, 4, 4, 8] { dense(n) -> relu }"
    )
    found = scene(text)
    assert titles(found)[0] == ("repeat", "× 2")
    assert texts(found).count("dense(4)") == 2


def test_values_read_elsewhere_keep_copies_apart() -> None:
    """A value between two copies that something else reads could not be shown if they were one."""
    text = MODELS["residual"].replace("-> repeat 3 Residual ->", "-> Residual -> Residual -> Residual ->")
    assert titles(scene(text))[:3] == [("Residual", "")] * 3  # written three times: no copies


def test_shared_weights_are_said_once() -> None:
    found = scene(MODELS["twins"])
    trunks = [frame for frame in frames(found.items) if "Trunk" in frame.title]
    assert [frame.shared for frame in trunks] == ["", "weights of trunk"]
    assert not any(part.shared for frame in trunks for card in cards(frame) for part in card.parts)


def test_weights_that_operators_read() -> None:
    found = scene(MODELS["own_weights"])
    assert {"gain", "tokens.embeddings"} <= set(texts(found))
    assert ("tokens.embeddings", "transpose") in arrows(found)
    assert any(frame.title == "RmsNorm" and frame.badge == "× 4" for frame in frames(found.items))


def test_depth_closes_blocks() -> None:
    found = scene(MODELS["twins"], depth=0)
    assert not any(isinstance(item, Frame) for item in found.items)
    assert [edge.label for edge in found.edges if edge.target.startswith("frame:")] == ["f32[32]", "f32[32]"]
    assert texts(found).count("trunk: Trunk(8)") == 2
    open_ = scene(MODELS["twins"], depth=1)
    assert len(list(frames(open_.items))) == 4  # two trunks, and the copies in each


def test_a_closed_block_has_one_edge_for_each_reader() -> None:
    found = scene(MODELS["residual"], depth=0)
    pairs = [(edge.source, edge.target) for edge in found.edges]
    assert len(pairs) == len(set(pairs))


def test_notes_and_tips_say_what_a_layer_holds() -> None:
    part = next(p for i in scene(MODELS["perceptron"]).items for c in cards(i) for p in c.parts if p.text == "dense(8)")
    assert (part.name, part.note) == ("hidden", "40")
    assert part.tip == (
        "hidden",
        "dense(8)",
        "makes f32[8]",
        "kernel [4, 8], 32 parameters",
        "bias [8], 8 parameters",
        "a.kmodel:6",
    )


def test_calls_on_cards_are_short() -> None:
    assert shown_call("dense", "dense(10, bias = true)") == "dense(10)"
    assert shown_call("dense", "dense(10, bias = false)") == "dense(10, bias = false)"
    assert shown_call("softmax", "softmax(axis = -1)") == "softmax"
    assert (
        shown_call("normalize", "normalize(mean = [1, 2, 3, 4, 5, 6], std = 2)") == "normalize(mean = [...], std = 2)"
    )
    assert len(shown_call("dense", f"dense({'9' * 400})")) == 54
