"""How `kdsl ir` shows graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from small_graphs import SOURCE, Network, f32, index, line, u8

from kdsl.graph import Graph
from kdsl.graph.printer import origin_text, print_graph, type_text
from kdsl.graph.types import FLOAT_SCALAR
from kdsl.passes.pipeline import optimise
from kdsl.source import Source

GOLDEN = Path(__file__).parent / "golden"


def classifier() -> Graph:
    net = Network()
    image, label = net.input("image", u8(4, 3)), net.target("label", index(5))
    h = net.layer("flatten", net.layer("normalize", image, mean=(1.0, 2.0, 3.0), std=0.5))
    h = net.layer("dropout", net.layer("relu", net.layer("dense", h, units=8)), rate=0.3)
    h = net.layer("gelu", net.layer("dense", h, units=5, bias=False), approximate=True)
    net.loss("cross_entropy", h, label, smoothing=0.1)
    net.metric("accuracy", h, label)
    net.output("probabilities", net.layer("softmax", h))
    return net.graph("classifier")


def test_forward(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "forward.txt", print_graph(classifier()))


def test_optimised(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "optimised.txt", print_graph(optimise(classifier())))


def test_types_with_their_batch_axis() -> None:
    types = [f32(28, 28), f32(), index(10), index(5, 3), FLOAT_SCALAR, replace(f32(3), batched=False)]
    assert [type_text(t) for t in types] == [
        "f32[*, 28, 28]",
        "f32[*]",
        "index(10)[*]",
        "index(5)[*, 3]",
        "f32",
        "f32[3]",
    ]


def test_origins_name_each_line_once() -> None:
    other = Source("blocks.kmodel", "one\ntwo\n")
    node = classifier()["relu"]
    node = replace(node, origin=(line(7), line(3), line(7), other.span(4, 7), SOURCE.span(40, 41)))
    assert origin_text(node) == "net.kmodel:3, 7, 9; blocks.kmodel:2"


def test_no_nodes() -> None:
    assert print_graph(Graph("empty", ())) == "empty {\n}\n"
