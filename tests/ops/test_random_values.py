"""Random values: what the written formula says, in plain Python; their distribution; what they are at inference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from small_graphs import Network, f32, index, settled, weight
from test_dropout_masks import M, mix

from kdsl.graph.interpreter import run
from kdsl.graph.verify import VerifyError, verify
from kdsl.ops import LAYERS, OPS
from kdsl.ops.registry import Refused
from kdsl.passes.inference import Inference
from kdsl.passes.pipeline import optimise, slice_graph


def drawn(seed: int, step: int, stream: int, counter: int) -> float:
    """A number from 0 up to 1."""
    key = mix((mix((mix((seed * 0x9E3779B1 + 1) & M) + step * 0x85EBCA6B) & M) + stream * 0xC2B2AE35) & M)
    return (mix((counter * 0x9E3779B1 & M) ^ key) >> 8) * 2.0**-24


@pytest.mark.parametrize("seed", [0, 42, 2**40 + 3])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_the_written_formulas(seed: int, shape: tuple[int, ...]) -> None:
    keywords: dict[str, Any] = {
        "shape": shape,
        "stream": 2,
        "always": False,
        "seed": seed,
        "step": 7,
        "dtype": "float64",
    }
    places = range(4 * math.prod(shape))
    pairs = [(drawn(seed, 7, 2, 2 * i), drawn(seed, 7, 2, 2 * i + 1)) for i in places]
    even = np.array([u for u, _ in pairs]).reshape(4, *shape)
    np.testing.assert_array_equal(OPS["random_uniform"].reference(np.zeros(4), **keywords), even)
    bell = [math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v) for u, v in pairs]
    found = OPS["random_normal"].reference(np.zeros((4, 9), "u1"), **keywords)
    np.testing.assert_allclose(found, np.reshape(bell, (4, *shape)), rtol=1e-12, atol=1e-12)


def sample_of(name: str, **settings: Any) -> np.ndarray:
    net = Network()
    x = net.input("x", f32(200))
    y = net.layer(name, *([x] if name.endswith("like") else []), **settings)
    return np.asarray(run(net.graph(), {"x": np.zeros((300, 200))}, seed=9)[y])


@pytest.mark.parametrize("name", ["normal", "normal_like"])
def test_the_normal_distribution(name: str) -> None:
    given = {"shape": (200,)} if name == "normal" else {}
    y = sample_of(name, **given, mean=2.0, stddev=0.5)
    assert y.shape == (300, 200)
    assert abs(y.mean() - 2.0) < 0.01 and abs(y.std() - 0.5) < 0.01
    z = (y - 2.0) / 0.5
    shares = [(z < q).mean() for q in (-1.959964, -0.6744898, 0.0, 0.6744898, 1.959964)]
    np.testing.assert_allclose(shares, [0.025, 0.25, 0.5, 0.75, 0.975], atol=0.006)
    assert abs(np.corrcoef(z[:, :-1].ravel(), z[:, 1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("name", ["uniform", "uniform_like"])
def test_the_uniform_distribution(name: str) -> None:
    given = {"shape": (200,)} if name == "uniform" else {}
    y = sample_of(name, **given, low=-1.0, high=3.0)
    assert y.shape == (300, 200) and y.min() >= -1.0 and y.max() < 3.0
    shares, _ = np.histogram(y, bins=8, range=(-1.0, 3.0))
    np.testing.assert_allclose(shares / y.size, 1 / 8, atol=0.005)


def test_every_draw_of_a_model_has_its_own_stream_dropout_included() -> None:
    net = Network()
    x = net.input("x", f32(3))
    parts = [net.layer("normal_like", x), net.layer("dropout", x, rate=0.5), net.layer("uniform", shape=(3,))]
    parts += [net.layer("normal", shape=(3,))]
    graph = net.graph()
    assert [n.attribute("stream") for n in graph.nodes if "stream" in n.keywords] == [0, 1, 2, 3]
    verify(graph, "forward")
    values = run(graph, {"x": np.ones((50, 3))}, seed=1)
    assert abs(np.corrcoef(values[parts[0]].ravel(), values[parts[3]].ravel())[0, 1]) < 0.3


def test_two_draws_from_one_stream_are_refused() -> None:
    net = Network()
    x = net.input("x", f32(3))
    for name in ("random_normal", "random_uniform"):
        net.op(name, x, shape=(3,), stream=0, always=False)
    with pytest.raises(VerifyError, match="draws from the stream of random_normal"):
        verify(net.graph(), "forward")


def test_nothing_is_drawn_where_nothing_varies() -> None:
    """Of the defaults, no factor and no offset is left in the graph."""
    net = Network()
    x = net.input("x", f32(3))
    net.layer("normal_like", x)
    net.layer("uniform_like", x)
    assert [n.op for n in net.build.nodes] == ["input", "random_normal", "random_uniform"]


def test_at_inference_they_are_their_mean() -> None:
    net = Network()
    x = net.input("x", index(5))
    values = {
        "normal": net.layer("normal", shape=(2,), mean=3.0, stddev=2.0),
        "uniform": net.layer("uniform", shape=(2, 1), low=-1.0, high=2.0),
        "drawn": net.layer("uniform_like", net.op("cast", x), sample="always"),
    }
    for name, value in values.items():
        net.output(name, value)
    graph = Inference().run(net.graph())
    found = run(graph, {"x": np.arange(4)}, seed=6)
    np.testing.assert_array_equal(found[values["normal"]], np.full((4, 2), 3.0))
    np.testing.assert_array_equal(found[values["uniform"]], np.full((4, 2, 1), 0.5))
    assert [n.op for n in graph.nodes if n.op.startswith("random")] == ["random_uniform"]
    assert np.unique(found[values["drawn"]]).size == 4


def test_new_numbers_in_every_step_and_none_in_evaluation() -> None:
    net = Network()
    x, y = net.input("x", f32(3)), net.target("y", f32(3))
    net.loss("mse", net.op("multiply", net.op("add", x, net.layer("normal_like", x)), net.weight("w", 3)), y)
    net.output("x", x)
    train = optimise(slice_graph(net.graph(), "train"))
    data = [{"x": np.ones((4, 3))}, {"y": np.zeros((4, 3))}, {"w": np.ones(3)}]
    first, again, second, other = (
        run(train, *data, seed=seed, step=step)[train.loss] for seed, step in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert first == again and len({float(first), float(second), float(other)}) == 3
    evaluate = optimise(slice_graph(net.graph(), "evaluate"), kind="evaluate")
    assert run(evaluate, *data)[evaluate.loss] == 1.0


def test_a_value_without_a_batch_is_no_measure() -> None:
    with pytest.raises(Refused) as caught:
        LAYERS["normal_like"].guard(settled(LAYERS["normal_like"], {}), [weight(2, 3)])
    assert caught.value.code == "E433"
    assert caught.value.message == "`normal_like` draws for each sample, but {0} is one value for all of them"
    assert caught.value.help == "`normal([2, 3])` draws for each sample"


def test_a_shape_is_told_in_full() -> None:
    with pytest.raises(Refused) as caught:
        LAYERS["uniform"].guard(settled(LAYERS["uniform"], {"shape": (2, -1)}), [])
    assert (caught.value.code, caught.value.message) == (
        "E410",
        "`uniform` is told every size: -1 stands for no size here",
    )
