"""The whole pipeline: order, any subset of passes on or off with equal numbers, gradients against finite differences."""

from __future__ import annotations

import random

import numpy as np
import pytest
from nets import NETS
from small_graphs import data_for

from kdsl.graph import Graph
from kdsl.graph.interpreter import run
from kdsl.graph.verify import verify
from kdsl.passes.dead_code import DeadCode
from kdsl.passes.differentiate import Differentiate, without_gradient
from kdsl.passes.pass_ import ALL_KINDS, Kind
from kdsl.passes.pipeline import OPTIONAL, PIPELINE, make_graphs, optimise, slice_graph

nets = pytest.mark.parametrize("net", NETS)


def numbers_of(graph: Graph, data, step: int = 4) -> dict[str, np.ndarray]:
    """Outputs, loss, metrics and gradients by the names users know."""
    values = run(graph, *data, seed=7, step=step)
    pairs = [*graph.outputs, *graph.metrics, *((f"gradient of {w}", v) for w, v in graph.gradients)]
    found = {name: values[value] for name, value in pairs}
    return found if graph.loss is None else {**found, "loss": values[graph.loss]}


def plain(graph: Graph, kind: Kind) -> Graph:
    """Only what must run."""
    return optimise(slice_graph(graph, kind), without=OPTIONAL, kind=kind)


def assert_equal_numbers(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14, err_msg=name)


SUBSETS = [(), *((name,) for name in OPTIONAL), *(tuple(n for n in OPTIONAL if n != one) for one in OPTIONAL)]
SUBSETS += [tuple(random.Random(i).sample(OPTIONAL, 1 + i % (len(OPTIONAL) - 1))) for i in range(12)]


@nets
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_any_passes_may_be_off(net: str, kind: Kind) -> None:
    forward = NETS[net]()
    data = data_for(forward)
    wanted = numbers_of(plain(forward, kind), data)
    for without in SUBSETS:
        graph = optimise(slice_graph(forward, kind), without, verify_each=True, kind=kind)
        assert_equal_numbers(numbers_of(graph, data), wanted)


@nets
@pytest.mark.parametrize("seed", range(4))
def test_optional_passes_in_any_order(net: str, seed: int) -> None:
    """After differentiation the simplifying passes hold in any order and any number of times; fusing comes last."""
    forward = slice_graph(NETS[net](), "train")
    data = data_for(forward)
    graph = Differentiate().run(forward)
    wanted = numbers_of(graph, data)
    simple = [p for p in dict.fromkeys(PIPELINE) if p.optional and not p.name.startswith("fuse")]
    fusing = [p for p in PIPELINE if p.name.startswith("fuse")]
    order = random.Random(seed)
    for step in [*order.choices(simple, k=8), *order.sample(fusing, 2)]:
        graph = step.run(graph)
        verify(graph, "optimised")
        assert_equal_numbers(numbers_of(graph, data), wanted)


@nets
def test_gradient_along_a_random_direction(net: str) -> None:
    """JAX's check: the loss's derivative along a direction of all weights, by two forward runs."""
    forward = slice_graph(NETS[net](), "train")
    data = data_for(forward, seed=3)
    graph = optimise(forward)
    rng = np.random.default_rng(5)
    direction = {name: rng.normal(size=w.shape) for name, w in data.weights.items()}
    values = run(graph, *data, seed=7, step=4)
    found = sum((values[value] * direction[name]).sum() for name, value in graph.gradients)

    def loss(step: float) -> float:
        moved = {name: w + step * direction[name] for name, w in data.weights.items()}
        return float(run(forward, data.inputs, data.targets, moved, seed=7, step=4)[forward.loss])

    np.testing.assert_allclose(found, (loss(1e-6) - loss(-1e-6)) / 2e-6, rtol=2e-6, atol=1e-9)


@nets
def test_gradient_of_every_weight(net: str) -> None:
    """Element by element, for all weights of all networks."""
    forward = slice_graph(NETS[net](), "train")
    data = data_for(forward, seed=2, batch=3)
    graph = optimise(forward)
    values = run(graph, *data, seed=1, step=0)
    rng = np.random.default_rng(0)
    for name, value in graph.gradients:
        for flat in rng.choice(data.weights[name].size, min(6, data.weights[name].size), replace=False):
            place = np.unravel_index(flat, data.weights[name].shape)
            losses = []
            for sign in (1, -1):
                moved = data.weights[name].copy()
                moved[place] += sign * 1e-6
                weights = {**data.weights, name: moved}
                losses.append(float(run(forward, data.inputs, data.targets, weights, seed=1, step=0)[forward.loss]))
            np.testing.assert_allclose(values[value][place], (losses[0] - losses[1]) / 2e-6, rtol=1e-5, atol=2e-9)


@nets
def test_float32_stays_float32(net: str) -> None:
    forward = NETS[net]()
    graph = optimise(slice_graph(forward, "train"))
    values = run(graph, *data_for(forward), dtype="float32")
    for node in graph.nodes:
        if node.type.dtype == "f32":
            assert values[node.name].dtype == np.float32, node


@nets
def test_results_survive_and_the_forward_graph_is_untouched(net: str) -> None:
    forward = NETS[net]()
    before = repr(forward)
    for kind in ALL_KINDS:
        graph = optimise(slice_graph(forward, kind), kind=kind)
        assert [n for n, _ in graph.outputs] == ([n for n, _ in forward.outputs] if kind == "predict" else [])
        assert [n for n, _ in graph.metrics] == ([] if kind == "predict" else [n for n, _ in forward.metrics])
        assert (graph.loss is None) == (kind == "predict")
        assert bool(graph.gradients) == (kind == "train")
        assert kind == "train" or not graph.of("dropout")
        assert kind != "predict" or not graph.of("target")
    assert repr(forward) == before


@nets
def test_same_graph_twice(net: str) -> None:
    assert repr(optimise(NETS[net]())) == repr(optimise(NETS[net]()))


def test_every_pass_stands_after_what_it_needs() -> None:
    for place, step in enumerate(PIPELINE):
        before = {p.name for p in PIPELINE[:place]}
        assert set(step.needs) <= before, step.name
        assert step.__doc__ and step.name == type(step).__module__.rsplit(".", 1)[1]
    assert PIPELINE[0].name == "check_shapes" and PIPELINE[-1].name == "fuse_elementwise"
    required = {p.name for p in PIPELINE if not p.optional}
    assert required == {"check_shapes", "inference", "expand_batch_norm", "differentiate"} and not required & set(
        OPTIONAL
    )


def test_until_stops_after_a_pass() -> None:
    forward = slice_graph(NETS["classifier"](), "train")
    assert not optimise(forward, until="canonicalize").gradients
    differentiated = optimise(forward, until="differentiate")
    assert differentiated.gradients and not differentiated.of("fused")
    assert optimise(forward, until="fuse_elementwise").of("fused")
    assert optimise(forward, until="check_shapes") is forward


@pytest.mark.parametrize("name", ["differentiate", "check_shapes", "nonsense"])
def test_passes_that_cannot_be_left_out(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is not an optional pass: fold_constants"):
        optimise(NETS["classifier"](), without=[name])


def test_until_a_name_that_is_no_pass() -> None:
    with pytest.raises(ValueError, match="nonsense is no pass: check_shapes, inference"):
        optimise(NETS["classifier"](), until="nonsense")


def test_weights_without_a_gradient_are_told() -> None:
    assert without_gradient(NETS["regression"]()) == ("idle",)
    assert without_gradient(NETS["classifier"]()) == ()


def test_gradients_are_in_the_order_of_the_weights() -> None:
    for make in NETS.values():
        graph = optimise(make())
        weights = [node.name for node in graph.of("weight")]
        assert [name for name, _ in graph.gradients] == weights


def test_graphs_of_a_program() -> None:
    from dataclasses import replace

    from small_graphs import line

    from kdsl.elaborate.program import ModelProgram

    program = ModelProgram("Net", "", (), (), (), (), (), (), NETS["classifier"](), None, line(1))
    graphs = make_graphs(program, check=True)
    assert graphs.train is not None and graphs.train.gradients and graphs.evaluate is not None
    assert graphs.predict.outputs and graphs.predict.loss is None
    alone = DeadCode().run(replace(program.graph, loss=None, metrics=()))
    only = make_graphs(replace(program, graph=alone), without=OPTIONAL)
    assert only.train is None and only.evaluate is None and only.predict.outputs
