"""Building: names, origins, types. Running: data types, fused nodes, masks, shapes that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import Network, data_for, f32, index, line, u8

from kdsl.graph.builder import Builder
from kdsl.graph.interpreter import run
from kdsl.graph.types import TensorType
from kdsl.passes.pipeline import optimise


def test_names_are_made_unique_and_follow_the_layer() -> None:
    build = Builder()
    with build.at(line(1)):
        x = build.source("input", "x", f32(2), {"name": "x"})
    with build.at(line(2), layer="h.relu"):
        names = [build.add("relu", [x]), build.add("relu", [x]), build.add("relu", [x], name="relu")]
        assert build.layer == "h.relu" and build.path("scale") == "h.relu.scale"
    with build.at(line(3)):
        names.append(build.add("relu", [x]))
        assert build.layer == "" and build.path("scale") == "scale"
    assert names == ["h.relu.relu", "h.relu.relu_2", "relu", "relu_2"]
    graph = build.graph("test")
    assert [node.origin for node in graph.nodes] == [(line(i),) for i in (1, 2, 2, 2, 3)]
    assert [node.layer for node in graph.nodes] == ["", "h.relu", "h.relu", "h.relu", ""]
    with pytest.raises(ValueError, match="relu is defined twice"):
        build.append(graph["relu"])


def test_places_are_restored_after_an_error() -> None:
    build = Builder()
    with build.at(line(1), layer="outer"):
        with pytest.raises(KeyError), build.at(line(2), layer="inner"):
            raise KeyError
        assert build.layer == "outer"


def test_results_users_and_renaming() -> None:
    net = Network()
    x = net.input("x", f32(2))
    y = net.op("add", x, x)
    net.output("y", y)
    graph = net.graph()
    assert graph.results == ("add",) and [n.name for n in graph.users()["x"]] == ["add"]
    assert "x" in graph and "z" not in graph and len(list(graph)) == 2
    moved = graph.with_results({"add": "x"}, graph.nodes[:1])
    assert moved.outputs == (("y", "x"),)
    with pytest.raises(KeyError, match="add has no attribute rate"):
        graph[y].attribute("rate")


def test_types_print_as_written() -> None:
    types = [u8(28, 28), index(10), index(5, 4), f32(), TensorType("bool", (2,))]
    assert [str(t) for t in types] == ["u8[28, 28]", "index(10)", "index(5)[4]", "f32", "bool[2]"]
    assert f32(2, 3).dims == "[2, 3]" and f32().dims == "[]" and f32(2, 3).size == 6 and f32().size == 1


def test_whole_networks_fused_and_not() -> None:
    net = Network()
    x, y = net.input("image", u8(3, 2)), net.target("label", index(4))
    h = net.layer("flatten", net.layer("rescale", x, scale=0.1, offset=-1.0))
    h = net.layer("dropout", net.layer("relu", net.layer("dense", h, units=5)), rate=0.5)
    net.loss("cross_entropy", net.layer("dense", h, units=4), y)
    forward = net.graph()
    data = data_for(forward, batch=6)
    graph = optimise(forward)
    fused, plain = run(graph, *data, seed=3, step=1), run(forward, *data, seed=3, step=1)
    np.testing.assert_allclose(fused["loss"], plain["loss"], rtol=1e-14)
    assert not np.allclose(plain["loss"], run(forward, *data, seed=3, step=2)["loss"])
    assert not np.allclose(plain["loss"], run(forward, *data, seed=4, step=1)["loss"])
    by_hand = (data.inputs["image"] * 0.1 - 1).reshape(6, 6) @ data.weights["dense.kernel"] + data.weights["dense.bias"]
    np.testing.assert_allclose(plain["relu"], np.maximum(by_hand, 0), rtol=1e-13, atol=1e-15)
    assert set(plain) == {node.name for node in forward.nodes}


def test_a_batch_of_one_and_of_none() -> None:
    net = Network()
    net.output("y", net.layer("softmax", net.layer("dense", net.input("x", f32(3)), units=2)))
    graph = net.graph()
    weights = {"dense.kernel": np.ones((3, 2)), "dense.bias": np.zeros(2)}
    assert run(graph, {"x": np.ones((1, 3))}, {}, weights)["softmax"].tolist() == [[0.5, 0.5]]
    assert run(graph, {"x": np.ones((0, 3))}, {}, weights)["softmax"].shape == (0, 2)


def test_arrays_that_do_not_fit() -> None:
    net = Network()
    net.output("y", net.layer("relu", net.input("x", f32(3))))
    with pytest.raises(ValueError, match=r"wants f32\[3\], not an array of shape \(5, 4\)"):
        run(net.graph(), {"x": np.ones((5, 4))})
