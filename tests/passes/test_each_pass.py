"""What each pass does, on graphs small enough to see it."""

from __future__ import annotations

import numpy as np
import pytest
from nets import NETS
from small_graphs import Network, data_for, f32, index, line

from kdsl.graph import Graph, TensorType
from kdsl.graph.interpreter import run
from kdsl.graph.verify import VerifyError
from kdsl.passes.canonicalize import Canonicalize
from kdsl.passes.check_shapes import CheckShapes
from kdsl.passes.common_subexpressions import CommonSubexpressions
from kdsl.passes.dead_code import DeadCode
from kdsl.passes.differentiate import Differentiate, stops
from kdsl.passes.fold_constants import FoldConstants
from kdsl.passes.fuse_elementwise import FuseElementwise
from kdsl.passes.fuse_epilogues import FuseEpilogues
from kdsl.passes.fuse_reductions import FuseReductions
from kdsl.passes.inference import Inference
from kdsl.passes.pipeline import optimise, slice_graph
from kdsl.passes.simplify_gradients import SimplifyGradients


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes if node.op not in ("input", "target", "weight", "constant")]


def trained(net: Network) -> Graph:
    return Differentiate().run(Canonicalize().run(net.graph()))


# -- check_shapes, inference, dead_code ---------------------------------------------------------------


def test_check_shapes_finds_a_wrong_type() -> None:
    net = Network()
    net.output("y", net.layer("relu", net.input("x", f32(3))))
    good = net.graph()
    assert CheckShapes().run(good) is good
    from dataclasses import replace

    wrong = tuple(replace(n, type=TensorType("f32", (4,))) if n.op == "relu" else n for n in good.nodes)
    with pytest.raises(VerifyError, match=r"relu = relu: is f32\[3\] for each sample, but is said to be f32\[4\]"):
        CheckShapes().run(replace(good, nodes=wrong))


def test_inference_leaves_no_dropout() -> None:
    net = Network()
    h = net.layer("dropout", net.layer("dropout", net.input("x", f32(3)), rate=0.5), rate=1.0)
    net.output("h", h)
    net.output("y", net.layer("relu", h))
    graph = Inference().run(net.graph())
    assert ops(graph) == ["relu"] and graph.outputs == (("h", "x"), ("y", "relu"))


def test_dead_code_keeps_what_results_need() -> None:
    """Also a result that another result reads, and one that is an input itself."""
    net = Network()
    x, _ = net.input("x", f32(3)), net.input("z", f32(3))
    a = net.layer("relu", x)
    b = net.layer("tanh", a)
    net.layer("sigmoid", b)
    for name, value in (("x", x), ("a", a), ("b", b)):
        net.output(name, value)
    assert [node.name for node in DeadCode().run(net.graph())] == ["x", "relu", "tanh"]


# -- fold_constants -----------------------------------------------------------------------------------


def test_constants_are_computed() -> None:
    net = Network()
    product = net.op("multiply", net.number(0.1), net.number((1.0, 2.0)))
    net.output("y", net.op("add", net.input("x", f32(2)), net.op("negative", product)))
    graph = FoldConstants().run(net.graph())
    assert ops(graph) == ["add"]
    assert graph["negative"].attribute("value") == (-0.1, -0.2)


def test_what_overflows_or_is_random_is_left_alone() -> None:
    net = Network()
    net.output("y", net.op("divide", net.number(1.0), net.number(0.0)))
    assert ops(FoldConstants().run(net.graph())) == ["divide"]


@pytest.mark.parametrize(
    ("op", "number", "kept"),
    [
        ("add", 0.0, False),
        ("subtract", 0.0, False),
        ("multiply", 1.0, False),
        ("divide", 1.0, False),
        ("add", 1.0, True),
        ("multiply", 0.0, True),
        ("divide", 0.0, True),
    ],
)
def test_neutral_numbers(op: str, number: float, kept: bool) -> None:
    net = Network()
    net.output("y", net.op(op, net.input("x", f32(2)), net.number(number)))
    graph = FoldConstants().run(net.graph())
    assert ops(graph) == ([op] if kept else [])
    assert graph.outputs == (("y", op if kept else "x"),)


def test_order_matters_for_minus_and_division() -> None:
    for op in ("subtract", "divide"):
        net = Network()
        net.output("y", net.op(op, net.number(1.0 if op == "divide" else 0.0), net.input("x", f32(2))))
        assert ops(FoldConstants().run(net.graph())) == [op]


def test_a_neutral_number_that_gives_the_batch_stays() -> None:
    """0 + x of one number for each sample and a longer vector without a batch is not the vector."""
    net = Network()
    w = net.weight("w", 3)
    x = net.input("x", f32(3))
    net.output("y", net.op("add", net.op("multiply", w, net.number(1.0)), x))
    graph = FoldConstants().run(net.graph())
    assert ops(graph) == ["add"] and graph["add"].inputs == ("w", "x")


def test_identities_go() -> None:
    net = Network()
    h = net.layer("linear", net.input("x", f32(6)))
    h = net.layer("dropout", net.layer("flatten", net.layer("reshape", h, shape=(6,))), rate=0.0)
    net.output("y", h)
    graph = FoldConstants().run(net.graph())
    assert ops(graph) == [] and graph.outputs == (("y", "x"),)


# -- common_subexpressions ----------------------------------------------------------------------------


def test_the_same_is_computed_once_and_remembers_both_places() -> None:
    net = Network()
    x = net.input("x", f32(3))
    a, b = net.layer("tanh", x), net.layer("tanh", x)
    net.output("y", net.op("add", net.layer("relu", a), net.layer("relu", b)))
    graph = CommonSubexpressions().run(net.graph())
    assert ops(graph) == ["tanh", "relu", "add"]
    assert graph["add"].inputs == ("relu", "relu")
    assert graph["tanh"].origin == (line(2), line(3))


def test_what_differs_stays_apart() -> None:
    """Inputs, weights, dropouts of different streams, attributes, -0.0 and 0.0, the order of a difference."""
    net = Network()
    x, z = net.input("x", f32(3)), net.input("z", f32(3))
    parts = [
        net.layer("dropout", x, rate=0.5),
        net.layer("dropout", x, rate=0.5),
        net.layer("leaky_relu", x, slope=0.1),
        net.layer("leaky_relu", x, slope=0.2),
        net.op("subtract", x, z),
        net.op("subtract", z, x),
        net.op("divide", x, net.number(0.0)),
        net.op("divide", x, net.number(-0.0)),
        net.op("multiply", x, net.weight("a", 3)),
        net.op("multiply", x, net.weight("b", 3)),
    ]
    for i, part in enumerate(parts):
        net.output(f"y{i}", part)
    graph = net.graph()
    assert CommonSubexpressions().run(graph).nodes == graph.nodes


# -- canonicalize -------------------------------------------------------------------------------------


def test_cross_entropy_becomes_one_op() -> None:
    net = Network()
    net.loss("cross_entropy", net.input("x", f32(4)), net.target("y", index(4)), smoothing=0.2)
    graph = DeadCode().run(Canonicalize().run(net.graph()))
    assert ops(graph) == ["sparse_softmax_cross_entropy"] and graph.loss == "loss"
    assert graph["loss"].attribute("smoothing") == 0.2 and graph["loss"].inputs == ("x", "y")


def test_log_softmax_that_others_read_stays_for_them() -> None:
    net = Network()
    x = net.input("x", f32(4))
    net.output("log_probabilities", net.layer("log_softmax", x))
    net.loss("cross_entropy", x, net.target("y", f32(4)))
    graph = DeadCode().run(Canonicalize().run(CommonSubexpressions().run(net.graph())))
    assert ops(graph) == ["log_softmax", "softmax_cross_entropy"]


def test_log_softmax_along_another_axis_is_not_fused() -> None:
    net = Network()
    scores = net.layer("log_softmax", net.input("x", f32(4, 4)), axis=0)
    likelihood = net.op("negative_log_likelihood", scores, net.target("y", f32(4, 4)), smoothing=0.0)
    net.the_loss = net.op("mean", likelihood)
    assert ops(Canonicalize().run(net.graph())) == ["log_softmax", "negative_log_likelihood", "mean"]


def test_reshapes_of_reshapes() -> None:
    net = Network()
    h = net.layer("reshape", net.layer("flatten", net.input("x", f32(2, 6))), shape=(3, 4))
    net.output("y", net.layer("flatten", h))
    graph = DeadCode().run(Canonicalize().run(net.graph()))
    assert [(node.op, node.inputs) for node in graph.nodes[1:]] == [("reshape", ("x",))]


# -- differentiate ------------------------------------------------------------------------------------


def test_gradients_are_summed_where_a_value_is_read_twice() -> None:
    net = Network()
    w = net.weight("w", 3)
    h = net.op("multiply", net.input("x", f32(3)), w)
    net.loss("mse", net.op("add", net.op("square", h), h), net.target("y", f32(3)))
    graph = trained(net)
    assert graph.gradients == (("w", "gradient.w"),)
    assert ops(graph).count("sum_to") == 1 and "gradient.multiply.sum" in graph
    assert all(node.origin for node in graph.nodes)


def test_the_same_operand_on_both_sides() -> None:
    net = Network()
    w = net.weight("w", 2)
    net.loss(
        "mse",
        net.op("multiply", net.op("add", net.input("x", f32(2)), w), net.build.nodes[-1].name),
        net.target("y", f32(2)),
    )
    graph = trained(net)
    x, y, at = np.array([[1.0, -2.0]]), np.zeros((1, 2)), np.array([0.5, 0.25])
    values = run(graph, {"x": x}, {"y": y}, {"w": at})
    s = x + at
    np.testing.assert_allclose(values[graph.gradients[0][1]], (4 * s**3 / 2)[0])


def test_only_what_is_wanted_is_differentiated() -> None:
    """No gradient of the input, of frozen weights, of the target; none through integers."""
    net = Network()
    frozen = net.weight("frozen", 3, trainable=False)
    h = net.op("multiply", net.input("x", f32(3)), frozen)
    net.loss("mse", net.layer("dense", h, units=3), net.target("y", f32(3)))
    graph = trained(net)
    assert [name for name, _ in graph.gradients] == ["dense.kernel", "dense.bias"]
    assert "matmul_data_gradient" not in ops(graph)
    assert not [
        name for name in (n.name for n in graph.nodes) if name in ("gradient.x", "gradient.frozen", "gradient.y")
    ]


def test_nothing_to_train() -> None:
    net = Network()
    net.loss("mse", net.input("x", f32(3)), net.target("y", f32(3)))
    forward = net.graph()
    assert trained(net).nodes == forward.nodes and trained(net).gradients == ()


def test_weights_that_no_gradient_reaches_are_told_with_the_reason() -> None:
    net = Network()
    h = net.layer("dense", net.input("x", f32(3)), units=4)
    net.the_loss = net.metric("accuracy", h, net.target("y", index(4)))
    graph = net.graph()
    assert [(stop.weight, stop.node.op) for stop in stops(graph)] == [
        ("dense.kernel", "sparse_accuracy"),
        ("dense.bias", "sparse_accuracy"),
    ]
    assert trained(net).gradients == ()


@pytest.mark.parametrize("name", ["argmax", "floor", "where", "stop_gradient", "any"])
def test_what_lets_no_gradient_through(name: str) -> None:
    """Behind it a reshape and a cast, as an expression would have them."""
    net = Network()
    x, w = net.input("x", f32(3)), net.weight("w", 3)
    h = net.op("multiply", x, w)
    if name == "where":
        h = net.layer("where", net.op("greater", h, net.number(0.0)), x, net.number(1.0))
    else:
        h = net.layer(name, h)
    if h.startswith("a"):
        h = net.op("cast", net.op("reshape", h, shape=(1,)))
    net.the_loss = net.op("mean", h)
    obstacle = {"where": "greater", "any": "not_equal"}.get(name, name)
    assert [(stop.weight, stop.node.op) for stop in stops(net.graph())] == [("w", obstacle)]


def test_weights_that_only_moving_statistics_depend_on_are_no_stops() -> None:
    net = Network()
    x, w = net.input("x", f32(3)), net.weight("w", 3)
    net.output("y", net.layer("batch_norm", net.layer("dense", x, units=3)))
    net.the_loss = net.op("mean", net.op("multiply", x, w))
    assert stops(net.graph()) == ()


def test_weights_that_are_trained_or_not_used_are_no_stops() -> None:
    net = Network()
    x, w = net.input("x", f32(3)), net.weight("w", 3)
    net.weight("idle", 3)
    h = net.op("multiply", x, w)
    net.output("guess", net.layer("argmax", net.op("add", h, net.weight("shift", 3))))
    net.the_loss = net.op("mean", net.op("add", net.layer("floor", h), h))
    assert stops(net.graph()) == ()


def test_gradients_point_at_the_lines_of_their_layers() -> None:
    graph = trained_classifier()
    (kernel,) = [value for weight, value in graph.gradients if weight == "dense.kernel"]
    assert graph[kernel].origin == graph["dense.kernel"].origin


def trained_classifier() -> Graph:
    return Differentiate().run(slice_graph(NETS["classifier"](), "train"))


# -- simplify_gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["classifier", "dropout_before_relu"])
def test_no_mask_is_drawn_a_second_time(net: str) -> None:
    forward = slice_graph(NETS[net](), "train")
    drawn = len(forward.of("dropout"))
    whole = Differentiate().run(forward)
    assert len(whole.of("dropout")) == 2 * drawn
    simplified = DeadCode().run(SimplifyGradients().run(whole))
    assert len(simplified.of("dropout")) == drawn
    for node in simplified.of("relu_gradient"):
        assert len(simplified.users()[node.inputs[1]]) >= 1


def test_the_relu_need_not_be_kept() -> None:
    graph = DeadCode().run(SimplifyGradients().run(trained_classifier()))
    assert [user.op for user in graph.users()["relu"]] == ["dropout"]


@pytest.mark.parametrize("first", ["tanh", "leaky_relu", "relu6"])
def test_other_activations_keep_their_mask(first: str) -> None:
    net = Network()
    h = net.layer("dropout", net.layer(first, net.layer("dense", net.input("x", f32(3)), units=3)), rate=0.5)
    net.loss("mse", h, net.target("y", f32(3)))
    graph = trained(net)
    assert SimplifyGradients().run(graph).nodes == graph.nodes


def test_a_second_dropout_of_the_relu_has_another_mask() -> None:
    """The loss reads one, an output the other, which comes last: its zeros say nothing about the gradient."""
    net = Network()
    r = net.layer("relu", net.layer("dense", net.input("x", f32(8)), units=8))
    h, other = net.layer("dropout", r, rate=0.5), net.layer("dropout", r, rate=0.5)
    net.loss("mse", h, net.target("y", f32(8)))
    net.output("other", other)
    forward = net.graph()
    data, whole = data_for(forward), Differentiate().run(forward)
    wanted, found = (run(graph, *data, seed=1) for graph in (whole, SimplifyGradients().run(whole)))
    for _, value in whole.gradients:
        np.testing.assert_allclose(found[value], wanted[value], rtol=1e-13)


@pytest.mark.parametrize(("between", "stream"), [("relu", 1), ("exponential", 0)])
def test_a_mask_that_the_value_does_not_show_stays(between: str, stream: int) -> None:
    """`dropout(relu_gradient(u, f(d)))` where d drew from another stream, or f of a dropped 0 is positive."""
    net = Network()
    d = net.op("dropout", net.input("x", f32(8)), rate=0.5, stream=0)
    through = net.op("relu_gradient", net.input("u", f32(8)), net.op(between, d))
    net.output("y", net.op("dropout", through, rate=0.5, stream=stream))
    graph = net.graph()
    assert SimplifyGradients().run(graph).nodes == graph.nodes


def test_what_lies_before_a_pool_is_as_small_as_the_pool() -> None:
    """The gate of a relu, and the sum for a bias."""
    forward = slice_graph(NETS["pooled"](), "train")
    whole = Differentiate().run(forward)
    found = DeadCode().run(SimplifyGradients().run(whole))
    assert [found[node.inputs[1]].op for node in found.of("relu_gradient")] == ["max_pool", "max_pool"]
    sums = {found[node.inputs[0]].op for node in found.of("bias_gradient")}
    assert sums.isdisjoint({"max_pool_gradient", "avg_pool_gradient"})
    data = data_for(forward)
    wanted, made = (run(graph, *data, seed=1) for graph in (whole, found))
    for (_, before), (_, after) in zip(whole.gradients, found.gradients, strict=True):
        assert np.abs(wanted[before]).max() > 0
        np.testing.assert_allclose(made[after], wanted[before], rtol=1e-12, atol=1e-15)


def test_another_gate_stays_before_its_pool() -> None:
    """The gate is no input of the pool."""
    net = Network()
    x, other = net.input("x", f32(4, 4, 2)), net.input("other", f32(4, 4, 2))
    window = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    pool = net.op("max_pool", x, **window)
    back = net.op("max_pool_gradient", net.input("u", f32(2, 2, 2)), x, pool, **window)
    net.output("y", net.op("relu_gradient", back, other))
    graph = net.graph()
    assert SimplifyGradients().run(graph).nodes == graph.nodes


# -- fusing -------------------------------------------------------------------------------------------


def bodies(graph: Graph) -> list[list[str]]:
    return [[part.op for part in node.body] for node in graph.of("fused")]


def test_epilogues_of_a_training_step() -> None:
    graph = optimise(slice_graph(NETS["classifier"](), "train"), verify_each=True)
    contractions = [node for node in graph.of("fused") if node.attribute("kind") == "contraction"]
    assert [[part.op for part in node.body] for node in contractions] == [
        ["matmul", "add_bias", "relu", "dropout"],
        ["matmul", "add_bias"],
        ["matmul_data_gradient", "relu_gradient", "multiply"],
    ]


def test_a_value_that_is_needed_elsewhere_ends_the_fusion() -> None:
    net = Network()
    h = net.layer("dense", net.input("x", f32(3)), units=3)
    net.output("y", net.layer("relu", h))
    assert bodies(FuseEpilogues().run(net.graph())) == [["matmul", "add_bias", "relu"]]
    net.output("h", h)
    graph = FuseEpilogues().run(net.graph())
    assert bodies(graph) == [["matmul", "add_bias"]] and "relu" in ops(graph)


def test_two_products_that_meet() -> None:
    """The sum joins the first product; the second stands before it."""
    net = Network()
    x = net.input("x", f32(3))
    a, b = net.layer("dense", x, units=4, bias=False), net.layer("dense", x, units=4)
    net.output("y", net.layer("tanh", net.op("add", a, b)))
    graph = FuseEpilogues().run(net.graph())
    assert bodies(graph) == [["matmul", "add_bias"], ["matmul", "add", "tanh"]]
    data = np.ones((2, 3))
    weights = {n.name: np.full(n.type.shape, 0.25) for n in graph.of("weight")}
    np.testing.assert_allclose(run(graph, {"x": data}, {}, weights)["tanh"], np.tanh(np.full((2, 4), 1.75)))


def test_a_change_of_shape_ends_the_fusion() -> None:
    net = Network()
    h = net.layer("dense", net.input("x", f32(2, 3)), units=1)
    net.output("y", net.op("add", h, net.input("z", f32(2, 5))))
    assert bodies(FuseEpilogues().run(net.graph())) == [["matmul", "add_bias"]]


def test_operands_that_broadcast_end_an_epilogue_but_no_sweep() -> None:
    """[2, 1] beside [2, 3] is neither a vector along the last axis nor a single number."""
    net = Network()
    h = net.layer("dense", net.input("x", f32(2, 4)), units=3)
    net.output("y", net.layer("relu", net.op("multiply", h, net.weight("rows", 2, 1))))
    graph = FuseElementwise().run(FuseEpilogues().run(net.graph()))
    assert bodies(graph) == [["matmul", "add_bias"], ["multiply", "relu"]] and graph["relu"].inputs == ("dense", "rows")


def test_a_reduction_takes_along_what_only_it_reads() -> None:
    """The square and the product; not the sigmoid, which an output reads too, nor the exponential of another shape."""
    net = Network()
    x, w = net.input("x", f32(2, 3)), net.weight("w", 3)
    a = net.layer("sigmoid", x)
    row = net.layer("exp", net.input("z", f32(1, 3)))
    h = net.op("multiply", net.op("add", net.op("square", a), row), w)
    net.output("a", a)
    net.output("y", net.op("reduce_sum", h, axes=(1,), keep=False))
    graph = FuseReductions().run(net.graph())
    assert bodies(graph) == [["square", "add", "multiply", "reduce_sum"]]
    assert (
        graph["reduce_sum"].inputs == ("sigmoid", "exp", "w") and graph["reduce_sum"].attribute("kind") == "reduction"
    )
    net.output("h", h)
    assert not bodies(FuseReductions().run(net.graph()))


def test_a_sum_over_the_batch_takes_products_along() -> None:
    net = Network()
    w = net.weight("w", 3)
    h = net.op("multiply", net.layer("tanh", net.input("x", f32(2, 3))), w)
    net.loss("mse", net.op("multiply", h, h), net.target("y", f32(2, 3)))
    graph = optimise(slice_graph(net.graph(), "train"), verify_each=True)
    (node,) = [n for n in graph.of("fused") if n.attribute("kind") == "reduction"]
    assert node.body[-1].op == "sum_to" and node.type == TensorType("f32", (3,), batched=False)
    assert node.name == dict(graph.gradients)["w"]


def test_elementwise_trees() -> None:
    """Both branches and the sum are one sweep; the shared value and the result in between end it."""
    net = Network()
    x = net.input("x", f32(3))
    shared = net.layer("tanh", x)
    a, b = net.layer("sigmoid", shared), net.op("negative", shared)
    net.output("y", net.op("multiply", net.op("add", a, b), net.number(2.0)))
    graph = FuseElementwise().run(net.graph())
    assert bodies(graph) == [["tanh", "sigmoid", "negative", "add", "multiply"]]
    net.output("shared", shared)
    graph = FuseElementwise().run(net.graph())
    assert bodies(graph) == [["sigmoid", "negative", "add", "multiply"]]
    assert graph["multiply"].inputs == ("tanh", "constant")


def test_origins_of_a_fused_node_are_those_of_its_parts() -> None:
    graph = optimise(slice_graph(NETS["classifier"](), "predict"), kind="predict")
    (first, *_) = [node for node in graph.of("fused") if node.attribute("kind") == "contraction"]
    assert first.origin == tuple(dict.fromkeys(span for part in first.body for span in part.origin))
    assert len(first.origin) == 2
