"""`render`: every default is written out, and the text still means the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kdsl.elaborate import elaborate
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.graph import Graph
from kdsl.render import render
from kdsl.source import Source, read
from kdsl.syntax import parse
from kdsl.training.registry import INITIALIZERS

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(
    [*TESTS.glob("good/*.kmodel"), *TESTS.glob("elaborate/good/*.kmodel"), *TESTS.parent.glob("models/*.kmodel")]
)

SMALL = """\
## Small.
model Small(hidden: int = 8) {
  input  x: u8[4, 4]   # pixels
  target y: index(3)
  logits = x -> rescale(1 / 255) -> flatten -> dense(hidden) as stem -> relu -> dense(3, bias = false)  # the end
  output p = softmax(logits)
}

train Small { loss = cross_entropy(logits, y) }
"""

BLOCKS = """\
dim D = 8
fn scaled(x, by = 2.0) = x * by
block Half(x: f32[N]) -> f32[N] {
  weight gain: f32[N] = normal
  return (x -> dense(N) -> leaky_relu) * gain
}
model Net {
  input  x: f32[D]
  target y: f32[D]
  h = x -> repeat 3 { Half -> scaled } -> dense(D, init = truncated_normal(stddev = 0.1)) as relu -> elu
  m = max(2, 3) * mean(h, axis = -1, keep = true)
  output z = (h, h -> layer_norm) -> concat -> dense(D) * m
}
train Net {
  loss = mse(z, y) + 0.1 * mean(h ** 2)
  metrics = [error = mae(z, y)]
  optimizer = sgd
  schedule = cosine(over = 20 epochs)
  regularize = [l2, l1(1e-4)]
}
""".replace("dense(D) * m", "dense(D)")


def programs(text: str, settings: dict[str, str] | None = None, name: str = "a.kmodel") -> tuple[ModelProgram, ...]:
    parsed = parse(Source(name, text))
    elaborated = elaborate(parsed.tree, settings)
    assert not parsed.diagnostics, parsed.diagnostics
    assert not [d for d in elaborated.diagnostics if d.severity == "error"], elaborated.diagnostics
    return elaborated.models


def nodes(graph: Graph) -> list[object]:
    return [(n.name, n.op, n.inputs, n.attributes, n.type, n.layer) for n in graph]


def meaning(program: ModelProgram) -> object:
    """All that is compiled: places in the source and reprinted calls aside."""
    weights = [(w.name, w.shape, w.trainable, filled(*w.initializer)) for w in program.weights]
    graph, training = program.graph, program.training
    results = (graph.outputs, graph.loss, graph.metrics)
    if training is None:
        return program.doc, nodes(graph), results, weights, None
    numbers = (training.batch, training.epochs, training.seed, training.validation_split)
    optimizer = replace(training.optimizer, span=program.span)
    return program.doc, nodes(graph), results, weights, (numbers, optimizer.name, optimizer.numbers, optimizer.flags)


def filled(name: str, settings: tuple[tuple[str, object], ...]) -> object:
    defaults = {key: parameter.default for key, parameter in INITIALIZERS[name].parameters.items()}
    return name, {**defaults, **dict(settings)}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_rendered_corpus_means_the_same(path: Path) -> None:
    source = read(path)
    assert isinstance(source, Source)
    elaborated = elaborate(parse(source).tree)
    if any(found.severity == "error" for found in elaborated.diagnostics) or not elaborated.models:
        pytest.skip("nothing to render in it")
    text = render(source)
    again = programs(text, name=str(path))
    assert [meaning(program) for program in again] == [meaning(program) for program in elaborated.models]
    assert render(Source(str(path), text)).count("bias = ") == text.count("bias = ")  # nothing is left to add


@pytest.mark.parametrize("text", [SMALL, BLOCKS], ids=["small", "blocks"])
def test_rendered_files_mean_the_same(text: str) -> None:
    rendered = render(Source("a.kmodel", text))
    assert [meaning(p) for p in programs(rendered)] == [meaning(p) for p in programs(text)]


def test_defaults_shapes_and_weights_are_written() -> None:
    text = render(Source("a.kmodel", SMALL))
    for line in (
        "-> rescale(1 / 255, offset = 0)  # f32[4, 4]",
        "-> flatten  # f32[16]",
        "-> dense(hidden, bias = true, init = glorot_uniform, bias_init = zeros) as stem"
        "  # f32[8]; stem: kernel [16, 8], bias [8]",
        "-> dense(3, bias = false, init = glorot_uniform, bias_init = zeros)"
        "  # f32[3]; logits.dense: kernel [8, 3]; the end",
        "output p = softmax(logits, axis = -1)  # f32[3]",
        "loss      = cross_entropy(logits, y, smoothing = 0)",
        "optimizer = adam(lr = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-07, amsgrad = false)",
        "batch     = 32",
        "seed      = 0",
        "input  x: u8[4, 4]  # pixels",
    ):
        assert f"\n  {line}\n" in text.replace("\n    ", "\n  "), (line, text)


def test_copies_and_names_of_the_file() -> None:
    text = render(Source("a.kmodel", BLOCKS))
    assert "weight gain: f32[N] = normal(mean = 0, stddev = 0.05)  # h.Half.*.gain [8]" in text
    assert "h.Half.*.dense: kernel [8, 8], bias [8]" in text or "-> leaky_relu(slope = 0.3)" in text
    assert "max(2, 3)" in text and "scaled -> " not in text  # numbers and formulas are left alone
    assert "init = truncated_normal(stddev = 0.1, mean = 0)" in text
    assert "optimizer  = sgd(lr = 0.01, momentum = 0, nesterov = false)" in text
    assert 'regularize = [l2(factor = 0.01, weights = "*.kernel"), l1(1e-4, weights = "*.kernel")]' in text


def test_settings_stand_in_their_places() -> None:
    text = render(Source("a.kmodel", SMALL), {"hidden": "20"})
    assert "model Small(hidden: int = 20)" in text and "kernel [16, 20]" in text
    assert [meaning(p) for p in programs(text)] == [meaning(p) for p in programs(SMALL, {"hidden": "20"})]
    dims = render(Source("a.kmodel", BLOCKS), {"D": "6"})
    assert "dim D = 6" in dims
    assert [meaning(p) for p in programs(dims)] == [meaning(p) for p in programs(BLOCKS, {"D": "6"})]


def test_odd_layouts() -> None:
    text = (
        "model M { input x: f32[3]\n  output y = x -> dense(\n  3,\n  bias = false,\n) }\ntrain M { loss = mse(y, x) }"
    )
    source = Source("a.kmodel", text.replace("mse(y, x)", "mse(y, y * 2)"))
    assert [meaning(p) for p in programs(render(source))] == [meaning(p) for p in programs(source.text)]
