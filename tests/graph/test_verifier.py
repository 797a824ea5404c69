"""The verifier accepts what the compiler makes and finds every kind of illegal graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from small_graphs import Network, f32, index, weight

from kdsl.graph import Graph, Node, TensorType
from kdsl.graph.graph import attributes_of
from kdsl.graph.verify import VerifyError, verify
from kdsl.passes.fuse_reductions import FuseReductions
from kdsl.passes.pipeline import optimise


def classifier() -> Graph:
    net = Network()
    x, y = net.input("x", f32(4)), net.target("y", index(3))
    h = net.layer("dropout", net.layer("relu", net.layer("dense", x, units=5)), rate=0.5)
    h = net.layer("dropout", net.layer("dense", h, units=3), rate=0.5)
    net.loss("cross_entropy", h, y)
    net.metric("accuracy", h, y)
    net.output("p", net.layer("softmax", h))
    return net.graph()


FORWARD = classifier()
TRAINED = optimise(FORWARD, until="dead_code")
FUSED = optimise(FORWARD)


def changed(graph: Graph, name: str, /, **fields: Any) -> Graph:
    nodes = tuple(replace(node, **fields) if node.name == name else node for node in graph.nodes)
    assert nodes != graph.nodes
    return replace(graph, nodes=nodes)


def attribute(graph: Graph, name: str, /, **values: Any) -> Graph:
    return changed(graph, name, attributes=attributes_of({**graph[name].keywords, **values}))


def test_stages() -> None:
    verify(FORWARD, "forward")
    verify(FORWARD, "optimised")
    verify(TRAINED, "differentiated")
    verify(FUSED, "optimised")
    with pytest.raises(VerifyError, match="belongs to a backward pass"):
        verify(TRAINED, "forward")
    with pytest.raises(VerifyError, match="nothing is fused in a differentiated graph"):
        verify(FUSED, "differentiated")
    with pytest.raises(VerifyError, match="a forward graph has no gradients"):
        verify(replace(FORWARD, gradients=(("dense.kernel", "dense.kernel"),)), "forward")


def without(graph: Graph, name: str) -> Graph:
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name != name))


def twice(graph: Graph, name: str) -> Graph:
    return replace(graph, nodes=(*graph.nodes, graph[name]))


def last_first(graph: Graph) -> Graph:
    return replace(graph, nodes=(graph.nodes[-1], *graph.nodes[:-1]))


ILLEGAL: list[tuple[str, Callable[[Graph], Graph]]] = [
    ("relu = relu: is defined twice", lambda g: twice(g, "relu")),
    ("reads relu, which is not defined before it", lambda g: without(g, "relu")),
    ("softmax = softmax: reads dropout_2, which is not defined", last_first),
    ("relu = relu: has no origin in the source", lambda g: changed(g, "relu", origin=())),
    ("is not a legal name", lambda g: changed(g, "relu", name="a b")),
    ("is not a legal name", lambda g: changed(g, "relu", name="os.system('x')")),
    ("no such op", lambda g: changed(g, "relu", op="rleu")),
    ("takes 1 inputs \\(x\\), not 2", lambda g: changed(g, "relu", inputs=("dense", "dense"))),
    ("wants \\['rate', 'stream'\\]", lambda g: changed(g, "dropout", attributes=(("rate", 0.5),))),
    ("wants \\[\\]", lambda g: attribute(g, "relu", slope=0.1)),
    ("attributes must be sorted", lambda g: changed(g, "dropout", attributes=(("stream", 0), ("rate", 0.5)))),
    ("relu = relu: is f32\\[5\\] for each sample, but", lambda g: changed(g, "relu", type=f32(6))),
    ("but is said to be f32\\[5\\] without a batch", lambda g: changed(g, "relu", type=weight(5))),
    ("cannot multiply f32\\[4\\] with f32\\[7, 5\\]", lambda g: changed(g, "dense.kernel", type=weight(7, 5))),
    ("wants f32, not index\\(3\\)", lambda g: changed(g, "relu", inputs=("y",))),
    ("takes no inputs", lambda g: changed(g, "dense.bias", inputs=("x",))),
    ("is f32 without a batch axis", lambda g: changed(g, "dense.bias", type=f32(5))),
    ("needs the attribute `name`", lambda g: changed(g, "x", attributes=())),
    ("x = input: has a batch axis", lambda g: changed(g, "x", type=weight(4))),
    ("an index needs its number of classes", lambda g: changed(g, "y", type=TensorType("index", ()))),
    ("only fused nodes have a body", lambda g: changed(g, "relu", body=(g["relu"],))),
    ("dropout_2 = dropout: draws from the stream of dropout", lambda g: attribute(g, "dropout_2", stream=0)),
    ("the result gone is not defined", lambda g: replace(g, outputs=(("p", "gone"),))),
    ("loss is one number for the batch, not f32\\[3\\] for each sample", lambda g: replace(g, loss="softmax")),
    ("accuracy is one number for the batch", lambda g: replace(g, metrics=(("accuracy", "relu"),))),
    ("an output is named twice", lambda g: replace(g, outputs=(("p", "relu"), ("p", "softmax")))),
]


@pytest.mark.parametrize(("complaint", "spoil"), ILLEGAL)
def test_illegal_forward_graphs(complaint: str, spoil: Callable[[Graph], Graph]) -> None:
    with pytest.raises(VerifyError, match=complaint):
        verify(spoil(FORWARD), "forward")


def test_constants_have_the_shape_of_their_value() -> None:
    net = Network()
    net.output("y", net.op("multiply", net.input("x", f32(2)), net.number((1.0, 2.0))))
    for value, complaint in (((1.0,), "not of the shape"), ("two", "is a number"), ((1.0, True), "is a number")):
        with pytest.raises(VerifyError, match=complaint):
            verify(attribute(net.graph(), "constant", value=value))


@pytest.mark.parametrize(
    ("complaint", "gradients"),
    [
        ("a gradient of relu, which is no weight", (("relu", "gradient.dense.bias"),)),
        ("a gradient of nothing, which is no weight", (("nothing", "gradient.dense.bias"),)),
        ("the gradient of dense.kernel is f32\\[5\\] without a batch", (("dense.kernel", "gradient.dense.bias"),)),
        ("named twice", (("dense.bias", "gradient.dense.bias"),) * 2),
    ],
)
def test_illegal_gradients(complaint: str, gradients: Any) -> None:
    with pytest.raises(VerifyError, match=complaint):
        verify(replace(TRAINED, gradients=gradients))


def fused_node() -> Node:
    return next(node for node in FUSED.of("fused") if [p.op for p in node.body][:1] == ["matmul"])


BODIES: list[tuple[str, Callable[[Node], Node]]] = [
    ("kind is one of contraction, elementwise, reduction", lambda n: replace(n, attributes=(("kind", "other"),))),
    ("a body has at least two nodes", lambda n: replace(n, body=n.body[:1])),
    ("the body ends in relu", lambda n: replace(n, body=n.body[:-1])),
    ("matmul cannot stand at place 0 of a elementwise", lambda n: replace(n, attributes=(("kind", "elementwise"),))),
    ("relu cannot stand at place 0 of a contraction", lambda n: replace(n, body=(relu_of_x(), *n.body))),
    ("reads dense.matmul, which is not defined", lambda n: replace(n, body=n.body[1:])),
    ("reads dense.bias, which is not defined", lambda n: replace(n, inputs=n.inputs[:-1])),
    ("nothing in the body reads y", lambda n: replace(n, inputs=(*n.inputs, "y"))),
    ("softmax is not elementwise", lambda n: with_softmax(n)),
    ("does not read add, the value before it", lambda n: with_detour(n)),
    ("constant cannot be part of a body", lambda n: replace(n, body=(*n.body, replace(n.body[-1], op="constant")))),
    ("x is defined outside as well", lambda n: replace(n, body=(replace(n.body[0], name="x"), *n.body[1:]))),
]


def reduction(change: Callable[[Node], Node] = lambda node: node) -> Graph:
    """`sum(square(x) * x)` as one fused node, changed."""
    net = Network()
    x = net.input("x", f32(2, 3))
    h = net.op("multiply", net.op("square", x), x)
    net.output("y", net.op("reduce_sum", h, axes=(0,), keep=False))
    graph = FuseReductions().run(net.graph())
    return replace(graph, nodes=tuple(change(n) if n.op == "fused" else n for n in graph.nodes))


REDUCTIONS: list[tuple[str, Callable[[Node], Node]]] = [
    ("multiply cannot stand at place 1 of a reduction", lambda n: replace(n, body=n.body[:-1], name="multiply")),
    (
        "reduce_sum cannot stand at place 2 of a elementwise",
        lambda n: replace(n, attributes=(("kind", "elementwise"),)),
    ),
    ("square is of another shape than wide", lambda n: with_a_wide_part(n)),
]


def with_a_wide_part(node: Node) -> Node:
    wide = replace(node.body[0], name="wide", op="add", inputs=("x", "x"))
    narrow = replace(node.body[0], name="square", inputs=("rows",), type=f32(2, 1))
    return replace(node, body=(wide, narrow, *node.body[1:]), inputs=(*node.inputs, "rows"))


@pytest.mark.parametrize(("complaint", "spoil"), REDUCTIONS)
def test_illegal_reductions(complaint: str, spoil: Callable[[Node], Node]) -> None:
    verify(reduction(), "optimised")
    graph = reduction(spoil)
    rows = replace(graph["x"], name="rows", type=f32(2, 1))
    with pytest.raises(VerifyError, match=complaint):
        verify(replace(graph, nodes=(rows, *graph.nodes)), "optimised")


def relu_of_x() -> Node:
    return Node("early", "relu", ("x",), (), f32(4), FORWARD["relu"].origin)


def with_softmax(node: Node) -> Node:
    relu = next(part for part in node.body if part.op == "relu")
    softmax = replace(relu, op="softmax", attributes=(("axis", -1),))
    return replace(node, body=tuple(softmax if part is relu else part for part in node.body))


def with_detour(node: Node) -> Node:
    """A part that reads something else than the part before it."""
    first = node.body[1]
    detour = replace(first, name="add", op="add", inputs=(first.name, first.name), attributes=())
    return replace(node, body=(*node.body[:2], detour, *node.body[2:]))


@pytest.mark.parametrize(("complaint", "spoil"), BODIES)
def test_illegal_bodies(complaint: str, spoil: Callable[[Node], Node]) -> None:
    node = fused_node()
    nodes = tuple(spoil(n) if n is node else n for n in FUSED.nodes)
    with pytest.raises(VerifyError, match=complaint):
        verify(replace(FUSED, nodes=nodes), "optimised")
