"""SVG, dot and Mermaid: well formed, the same bytes each time, and whatever users write stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from drawn_models import MODELS, scene

from kdsl.draw.dot import dot
from kdsl.draw.mermaid import mermaid
from kdsl.draw.palette import COLOURS
from kdsl.draw.scene import Card, Edge, Frame, Part, Scene
from kdsl.draw.svg import svg
from kdsl.draw.text import width

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {SVG + tag for tag in ("svg", "title", "desc", "style", "rect", "text", "tspan", "g", "path", "circle")}
ATTACKS = [
    "<script>alert(1)</script>",
    "</style></svg><script>",
    "]]>",
    '" onload="alert(1)',
    "\\",
    '\\" ; evil [label="',
    "&amp;&#60;",
    "--> x",
    '"]; click n0 href "javascript:alert(1)"',
    "%%{init: {}}%%",
    "a\nend\nb",
    "\x00\x1b\x7f\ud800",
    "`${1}` {{x}}",
    "\u202e\u2066 hidden",
    "#quot;#35;",
]


def attacked(text: str) -> Scene:
    """Every place where a text can stand."""
    part = Part(text, "weights", (text, text), text, text)
    shared = Part(text, "weight", (text,), shared=text)
    items = (
        Card("a", (part, part)),
        Frame(
            "f",
            text,
            (Card("b", (shared,)), Card("c", (replace(part, kind="loss"),), "chip")),
            text,
            (text,),
            shared=text,
        ),
        Card("d", (part,), "circle"),
        Card("e", (replace(part, kind="input"),), "pill"),
    )
    edges = (Edge("a", "a", "b", text), Edge("b", "b", "c", text), Edge("c", "c", "d", text, "gradient"))
    return Scene(text, text, items, edges)


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_stay_text_in_svg(text: str) -> None:
    written = svg(attacked(text))
    root = ElementTree.fromstring(written.encode("utf-8"))
    plain = ElementTree.fromstring(svg(attacked("plain")).encode())
    assert [element.tag for element in root.iter()] == [element.tag for element in plain.iter()]
    allowed = {"x", "y", "width", "height", "rx", "ry", "r", "cx", "cy", "d", "class", "id", "transform", "role"}
    allowed |= {"viewBox", "aria-labelledby"}
    for element in root.iter():
        assert set(element.attrib) <= allowed
        assert element.tag in TAGS
    assert "\ud800" not in written and "\x00" not in written


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_stay_text_in_dot(text: str) -> None:
    """Outside of quoted texts nothing changes."""

    def bare(written: str) -> str:
        return re.sub(r'"(\\.|[^"\\\n])*"', '""', written)

    assert bare(dot(attacked(text))) == bare(dot(attacked("plain")))


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_stay_text_in_mermaid(text: str) -> None:
    def bare(written: str) -> str:
        return re.sub(r'"[^"\n]*"', '""', written)

    written = mermaid(attacked(text))
    assert bare(written) == bare(mermaid(attacked("plain")))
    for label in re.findall(r'"([^"\n]*)"', written):
        assert re.fullmatch(r"(<br/>|#\d+;|[\w .,:+=/'-])*", label.replace("-", "")), label


@pytest.mark.parametrize("name", MODELS)
def test_the_same_model_gives_the_same_bytes(name: str) -> None:
    for write in (svg, dot, mermaid):
        assert write(scene(MODELS[name])) == write(scene(MODELS[name]))


def test_svg_is_accessible_and_stands_alone() -> None:
    text = svg(scene(MODELS["perceptron"]))
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    assert root.find(f"{SVG}title").text == "Perceptron"
    assert root.find(f"{SVG}desc").text == "Two layers."
    assert "prefers-color-scheme:dark" in text
    for word in ("href", "script", "url(", "import", "http://www.w3.org/1999"):
        assert word not in text


def test_svg_shows_layers_types_and_parameters() -> None:
    root = ElementTree.fromstring(svg(scene(MODELS["perceptron"])))
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    for wanted in (
        "hidden dense(8)",
        "relu",
        "dropout(0.1)",
        "f32[8]",
        "40",
        "x",
        "y",
        "p",
        "loss cross_entropy(logits, y)",
    ):
        assert wanted in texts, wanted
    tips = ["".join(element.itertext()) for element in root.iter(f"{SVG}title")]
    assert any("kernel [4, 8], 32 parameters" in tip and "a.kmodel:6" in tip for tip in tips)


def test_texts_fit_in_their_boxes() -> None:
    """By the table of widths; the title and its badge do not meet either."""
    root = ElementTree.fromstring(svg(scene(MODELS["twins"])))
    for card in root.iter(f"{SVG}g"):
        if (card.get("class") or "").startswith("part"):
            hit = card.find(f"{SVG}rect")
            texts = card.findall(f"{SVG}text")
            end = float(hit.get("x")) + float(hit.get("width"))
            assert float(texts[0].get("x")) + width("".join(texts[0].itertext()), 12) <= end
        if (card.get("class") or "").startswith("frame") and len(card.findall(f"{SVG}rect")) == 2:
            title = card.find(f"{SVG}text")
            badge = card.findall(f"{SVG}rect")[1]
            assert float(title.get("x")) + width(title.text, 12, bold=True) <= float(badge.get("x"))


def test_every_kind_has_a_colour_in_both_modes() -> None:
    text = svg(scene(MODELS["perceptron"]))
    light, dark = text.split("@media")
    for kind, colours in COLOURS.items():
        assert f".{kind} .stripe{{fill:{colours[0]}}}" in light
        assert f".{kind} .stripe{{fill:{colours[1]}}}" in dark


def test_dot_and_mermaid_have_groups_and_edges() -> None:
    found = scene(MODELS["residual"])
    graph, chart = dot(found), mermaid(found)
    assert graph.count("subgraph cluster_") == chart.count("subgraph g") == 3
    assert 'label="Residual  × 3"' in graph
    assert graph.count(" -> ") == chart.count("-->") == len(found.edges)
    assert "f32[32]" in graph and "f32#91;32#93;" in chart


@pytest.mark.parametrize("name", sorted(MODELS))
def test_texts_have_no_blank_lines_and_end_with_one_newline(name: str) -> None:
    for text in (mermaid(scene(MODELS[name])), dot(scene(MODELS[name]))):
        assert "\n\n" not in text and text.endswith("\n")
