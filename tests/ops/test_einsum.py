"""einsum against NumPy's with a letter for the batch, gradients through the layer, and equations that are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import Network, draw, f32, index, settled, u8

from kdsl.graph import Graph, TensorType
from kdsl.graph.interpreter import run
from kdsl.ops import LAYERS, OPS
from kdsl.ops.registry import Refused
from kdsl.passes.differentiate import Differentiate


def unbatched(*shape: int) -> TensorType:
    return TensorType("f32", shape, batched=False)


EQUATIONS: list[tuple[str, list[TensorType], list[str]]] = [
    ("qd,kd->qk", [f32(2, 3), f32(4, 3)], ["einsum"]),
    ("hqk,khd->qhd", [f32(2, 3, 4), f32(4, 2, 5)], ["einsum"]),
    ("td,dk->tk", [f32(2, 3), unbatched(3, 4)], ["matmul"]),
    ("dk,td->tk", [unbatched(3, 4), f32(2, 3)], ["matmul"]),
    ("td,kd->tk", [f32(2, 3), unbatched(4, 3)], ["einsum"]),
    ("td,dhk->htk", [f32(2, 3), unbatched(3, 2, 2)], ["einsum"]),
    ("ab,bc->ac", [unbatched(2, 3), unbatched(3, 2)], ["einsum"]),
    ("i,i->", [f32(3), f32(3)], ["einsum"]),
    ("i,j->ij", [f32(3), f32(2)], ["einsum"]),
    (",i->i", [f32(), f32(2)], ["einsum"]),
    ("ij->ji", [f32(2, 3)], ["transpose"]),
    ("ij->", [f32(2, 3)], ["reduce_sum"]),
    ("ijk->ki", [f32(2, 3, 4)], ["reduce_sum", "transpose"]),
    ("ij->ij", [f32(2, 3)], []),
    ("ij,jk->k", [f32(2, 3), f32(3, 4)], ["reduce_sum", "einsum"]),
    ("ia,jb->ij", [f32(2, 3), unbatched(4, 2)], ["reduce_sum", "reduce_sum", "einsum"]),
    ("ab,bc,cd->ad", [f32(2, 3), f32(3, 4), f32(4, 2)], ["einsum", "einsum"]),
    ("ab,bc,cd->ad", [f32(2, 3), unbatched(3, 4), unbatched(4, 2)], ["matmul", "matmul"]),
    ("a,b,a->b", [f32(2), unbatched(3), f32(2)], ["einsum", "einsum"]),
    ("ab,ab,ab->a", [f32(2, 3), unbatched(2, 3), f32(2, 3)], ["einsum", "einsum"]),
    (" q d , k d -> q k ", [f32(2, 3), f32(4, 3)], ["einsum"]),
    ("ab,b->a", [u8(2, 3), f32(3)], ["cast", "einsum"]),
]


def network(
    equation: str, types: list[TensorType]
) -> tuple[Network, str, dict[str, np.ndarray], dict[str, np.ndarray]]:
    net, rng = Network(), np.random.default_rng(3)
    names = [net.input(f"x{i}", t) if t.batched else net.weight(f"w{i}", *t.shape) for i, t in enumerate(types)]
    arrays = {name: draw(t, rng, 3) for name, t in zip(names, types, strict=True)}
    y = net.layer("einsum", *names, equation=equation)
    return net, y, {n: a for n, a in arrays.items() if n[0] == "x"}, {n: a for n, a in arrays.items() if n[0] == "w"}


@pytest.mark.parametrize(("equation", "types", "ops"), EQUATIONS, ids=str)
def test_against_numpy(equation: str, types: list[TensorType], ops: list[str]) -> None:
    net, y, inputs, weights = network(equation, types)
    assert [n.op for n in net.build.nodes if n.op not in ("input", "weight")] == ops
    left, right = equation.replace(" ", "").split("->")
    terms = ",".join(("Z" if t.batched else "") + term for term, t in zip(left.split(","), types, strict=True))
    batched = any(t.batched for t in types)
    given = [{**inputs, **weights}[f"{'x' if t.batched else 'w'}{i}"].astype(float) for i, t in enumerate(types)]
    wanted = np.einsum(f"{terms}->{'Z' if batched else ''}{right}", *given)
    found = run(net.graph(), inputs, {}, weights)[y]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert net.build.type_of(y) == TensorType("f32", wanted.shape[int(batched) :], batched)


@pytest.mark.parametrize(
    ("equation", "types", "ops"), [e for e in EQUATIONS if not all(t.batched for t in e[1])], ids=str
)
def test_gradients_of_weights(equation: str, types: list[TensorType], ops: list[str]) -> None:
    """The chain of ops, its sums over the batch included, along a random direction."""
    net, y, inputs, weights = network(equation, types)
    with net._at(""):
        loss = net.build.add("mean", [net.build.add("square", [y])])
    forward = Graph("net", tuple(net.build.nodes), loss=loss)
    graph = Differentiate().run(forward)
    assert [name for name, _ in graph.gradients] == list(weights)
    rng = np.random.default_rng(8)
    direction = {name: rng.normal(size=w.shape) for name, w in weights.items()}
    values = run(graph, inputs, {}, weights)
    found = sum((values[value] * direction[name]).sum() for name, value in graph.gradients)

    def at(step: float) -> float:
        moved = {name: w + step * direction[name] for name, w in weights.items()}
        return float(run(forward, inputs, {}, moved)[loss])

    np.testing.assert_allclose(found, (at(1e-6) - at(-1e-6)) / 2e-6, rtol=1e-6)


def test_cost_counts_every_product() -> None:
    attributes = {"equation": "qd,kd->qk", "batched": True}
    cost = OPS["einsum"].cost([f32(10, 8), f32(20, 8)], f32(10, 20), attributes)
    assert (cost.flops, cost.elements) == (2 * 10 * 20 * 8, 80 + 160 + 200)


REFUSED: list[tuple[str, list[TensorType], str, str]] = [
    (
        *("qd,kd", [f32(2, 3), f32(4, 3)], "`qd,kd` does not say what comes out"),
        "write `qd,kd->` and the letters to keep",
    ),
    (
        *("...d,kd->...k", [f32(2, 3), f32(4, 3)], "`...` in `...d,kd->...k` stands for no axis here"),
        "every axis after the batch has a letter; the batch has none, it is always kept",
    ),
    (
        *("q1,kd->qk", [f32(2, 3), f32(4, 3)], "`1` in `q1,kd->qk` is no letter"),
        "axes are called by letters from a to z or A to Z",
    ),
    (
        *("qd,kd->qk", [f32(2, 3)], "`qd,kd->qk` has letters for 2 operands, but `einsum` gets 1"),
        "operands are separated by commas: `qd,kd->qk`",
    ),
    (
        *("qd->q", [f32(2, 3), f32(2)], "`qd->q` has letters for 1 operand, but `einsum` gets 2"),
        "operands are separated by commas: `qd,kd->qk`",
    ),
    (
        *("ii->i", [f32(3, 3)], "the letter `i` stands twice in `ii`"),
        "every axis has a letter of its own; a diagonal cannot be taken",
    ),
    (
        *("ij->jj", [f32(3, 3)], "the letter `j` stands twice in the result `jj`"),
        "every axis of the result has a letter of its own",
    ),
    (
        *("qd,kd->qz", [f32(2, 3), f32(4, 3)], "the letter `z` of the result `qz` stands in no operand"),
        "the operands have `d`, `k`, `q`",
    ),
    ("qd,k->qk", [f32(2, 3), f32(4, 3)], "`k` has 1 letter, but {1} has 2 axes: [4, 3]", "one letter for each axis"),
    (
        "qd,kd->qk",
        [f32(2), f32(4, 3)],
        "`qd` has 2 letters, but {0} has 1 axis: [2]",
        "the batch has no letter: leave the `q` out",
    ),
    (
        "qd,a->q",
        [f32(2, 3), f32()],
        "`a` has 1 letter, but {1} has no axes: []",
        "the batch has no letter: leave the `a` out",
    ),
    ("ab,b->a", [unbatched(2), f32(3)], "`ab` has 2 letters, but {0} has 1 axis: [2]", "one letter for each axis"),
    (
        *("qd,kd->qk", [f32(2, 3), f32(4, 5)], "the letter `d` is 3 in {0} and 5 in {1}"),
        "axes with one letter have one size: `qd` is [2, 3], `kd` is [4, 5]",
    ),
]


@pytest.mark.parametrize(("equation", "types", "message", "help"), REFUSED)
def test_refused(equation: str, types: list[TensorType], message: str, help: str) -> None:
    with pytest.raises(Refused) as caught:
        LAYERS["einsum"].guard(settled(LAYERS["einsum"], {"equation": equation}), types)
    assert (caught.value.code, caught.value.message, caught.value.help) == ("E413", message, help)
    assert caught.value.argument == "equation"


def test_classes_are_refused() -> None:
    with pytest.raises(Refused, match="`einsum` computes with numbers, but gets classes"):
        LAYERS["einsum"].guard({"equation": "a->a"}, [index(4, 3)])
