"""What comes out of a model without mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from elaborate_corpus import GOOD, ROOT, check, net, program

from kdsl.elaborate import Elaborated, elaborate
from kdsl.graph.types import TensorType
from kdsl.source import Source
from kdsl.syntax import parse

FASHION = (ROOT / "models" / "fashion_mlp.kmodel").read_text(encoding="utf-8")


def program_of(path: Path) -> Elaborated:
    return elaborate(parse(Source(str(path), path.read_text(encoding="utf-8"))).tree)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_model_gives_nothing_to_say(path: Path) -> None:
    assert check(path.read_text(encoding="utf-8"), str(path)) == []


def test_the_classic_first_network() -> None:
    model = program(FASHION)
    assert model.name == "FashionMlp" and model.parameters == (("hidden", 28),)
    assert model.doc.startswith("The classic first network")
    assert [(p.name, str(p.type)) for p in model.inputs] == [("image", "u8[28, 28]")]
    assert model.inputs[0].doc.startswith("One photograph")
    assert [(p.name, str(p.type)) for p in model.targets] == [("label", "index(10)")]
    assert model.outputs == (("probabilities", TensorType("f32", (10,))),)
    assert [(w.name, w.shape, w.initializer[0]) for w in model.weights] == [
        ("logits.dense.kernel", (784, 28), "glorot_uniform"),
        ("logits.dense.bias", (28,), "zeros"),
        ("logits.dense_2.kernel", (28, 10), "glorot_uniform"),
        ("logits.dense_2.bias", (10,), "zeros"),
    ]
    assert [record.text for record in model.layers] == [
        "rescale(1 / 255)",
        "flatten",
        "dense(28)",
        "relu",
        "dense(10)",
        "softmax",
    ]
    graph = model.graph
    assert graph.outputs == (("probabilities", "probabilities.softmax"),)
    assert graph.loss == "loss" and graph.metrics == (("accuracy", "accuracy"),)
    assert graph["logits.rescale.scale"].attribute("value") == 1 / 255
    assert all(node.origin for node in graph), "every node knows the place it came from"
    training = model.training
    assert training is not None
    assert training.loss == "cross_entropy(logits, label)"
    assert (training.batch, training.epochs, training.seed, training.validation_split) == (32, 10, 42, 0.0)
    assert training.optimizer.name == "adam" and dict(training.optimizer.numbers)["lr"] == 1e-3


def test_nodes_stand_in_execution_order_and_weights_once() -> None:
    for path in GOOD:
        for model in program_of(path).models:
            seen: set[str] = set()
            for node in model.graph:
                assert set(node.inputs) <= seen, node.name
                assert node.name not in seen
                seen.add(node.name)
            assert {w.name for w in model.weights} == {n.name for n in model.graph.of("weight")}
            made = [name for record in model.layers for name in record.weights]
            own = [w.name for w in model.weights if w.span.text.startswith(("weight", "frozen"))]
            assert sorted(made + own) == sorted(w.name for w in model.weights), (
                "each weight is one layer's, or a user's"
            )


def test_metrics_take_their_own_name_or_a_number() -> None:
    text = net(
        "logits = image -> flatten -> dense(10)\noutput logits",
        "loss = cross_entropy(logits, label)\nmetrics = [accuracy(logits, label), top3 = top_k(logits, label, k = 3), accuracy(logits, label)]",
    )
    assert [name for name, _ in program(text).graph.metrics] == ["accuracy", "top3", "accuracy_2"]


def test_a_model_without_train_has_no_loss() -> None:
    model = program(net("logits = image -> flatten -> dense(10)\noutput logits"))
    assert model.training is None and model.graph.loss is None


def test_elaboration_is_the_same_each_time() -> None:
    for path in GOOD:
        first, second = program_of(path), program_of(path)
        assert repr(first.models) == repr(second.models)
