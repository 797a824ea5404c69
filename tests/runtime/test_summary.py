"""`summary`: the text of the module and of the command line are one, and its numbers are right."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from dataclasses import replace

import pytest
from made_modules import PICTURES, SMALL, TWO

from kdsl.cli.console import CliError
from kdsl.cli.summary import Measured, as_data, as_text
from kdsl.codegen.declare import declaration_of, declaration_text
from kdsl.compiler import compile_file, import_compiled
from kdsl.elaborate import ModelProgram
from kdsl.elaborate.program import CallRecord
from kdsl.passes.pipeline import make_graphs
from kdsl.plan.places import Unsupported
from kdsl.runtime import declaration
from kdsl.runtime.summary import summary_text, with_prefix
from kdsl.source import Source

DEEP = """
model Deep {
  input  x: f32[4]
  target y: f32[4]
  h = x -> repeat 3 { dense(4) -> relu }
  output z = h -> dense(4, bias = false)
}

train Deep { loss = mse(z, y) }
"""


def program_of(text: str) -> ModelProgram:
    return compile_file(Source("a.kmodel", text), target="numpy").programs[0]


def measured(text: str, **given: object) -> Measured:
    options = Namespace(**{"target": "numba", "dtype": "f32", "batch": None, **given})
    return Measured(program_of(text), options, frozenset())


@pytest.mark.parametrize("target", ["numba", "numpy"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("text", [SMALL, PICTURES, TWO], ids=["small", "pictures", "two"])
def test_the_command_line_says_what_the_module_says(text: str, dtype: str, target: str, capsys) -> None:
    module = import_compiled(compile_file(Source("a.kmodel", text), target=target, dtype=dtype))
    model = next(v for v in vars(module).values() if isinstance(v, type) and hasattr(v, "declaration"))()
    model.summary()
    said = capsys.readouterr().out.rstrip("\n")
    assert as_text(measured(text, dtype=dtype, target=target), None).startswith(said + "\n")


@pytest.mark.parametrize("clip", ["", ", clip_norm = 1.0"])
@pytest.mark.parametrize("batch", [1, 32, 128, 1000])
def test_bytes_of_other_batches_are_those_of_the_module_built_for_them(batch: int, clip: str) -> None:
    text = SMALL.replace("lr = 0.01", f"lr = 0.01{clip}")
    found = measured(text, batch=batch)
    module = import_compiled(compile_file(Source("a.kmodel", text.replace("batch     = 8", f"batch = {batch}"))))
    assert found.nbytes == module.Small()._core.nbytes
    assert found.by_batch[batch] == found.nbytes
    assert found.by_batch[1] < found.by_batch[32] < found.by_batch[128]


def test_the_declaration_is_the_text_of_it() -> None:
    for text in (SMALL, PICTURES, TWO, DEEP):
        program = program_of(text)
        graphs = make_graphs(program)
        names = dict(vars(declaration))
        exec(declaration_text("D", program, graphs, "float32"), names)
        assert names["D"] == declaration_of(program, graphs, "float32")


def test_work_of_the_layers_adds_up() -> None:
    made = declaration_of(program := program_of(DEEP), make_graphs(program), "float32")
    dense, biased = 2 * 4 * 4, 2 * 4 * 4 + 4
    assert [row.flops for row in made.layers] == [biased, 4] * 3 + [dense]
    assert sum(row.flops for row in made.layers) == made.flops
    assert [row.parameters for row in made.layers] == [20, 0] * 3 + [16]


def with_blocks(program: ModelProgram) -> ModelProgram:
    """DEEP, as if `dense(4) -> relu` stood in a block that another one calls."""
    layers, calls = [], []
    for number, layer in enumerate(program.layers):
        if not layer.path.startswith("h."):
            layers.append(layer)
            continue
        copy = number // 2
        for path, block in ((f"h.Outer.{copy}", "Outer(2)"), (f"h.Outer.{copy}.inner.Unit", "Unit(4)")):
            if not number % 2:
                value, type = program.layers[number + 1].value, layer.type
                calls.append(CallRecord(path, block, block, (), layer.inputs, (value,), (type,), layer.span))
        layers.append(replace(layer, path=f"h.Outer.{copy}.inner.Unit.{layer.layer}"))
    return replace(program, layers=tuple(layers), calls=tuple(calls))


def test_layers_stand_under_their_blocks() -> None:
    program = with_blocks(program_of(DEEP))
    made = declaration_of(program, make_graphs(program), "float32")
    assert [row.level for row in made.layers] == [0, 1, 2, 2] * 3 + [0]
    lines = summary_text(made, 0).splitlines()
    assert [line.split("  f32")[0].split() for line in lines[5:9]] == [
        ["h.Outer.0", "Outer(2)"],
        ["inner.Unit", "Unit(4)"],
        ["dense", "dense(4)"],
        ["relu", "relu"],
    ]
    assert [re.match(" *", line)[0] for line in lines[5:9]] == ["", "  ", "    ", "    "]


def test_depth_folds_blocks() -> None:
    program = with_blocks(program_of(DEEP))
    made = declaration_of(program, make_graphs(program), "float32")
    whole, folded, flat = (summary_text(made, 0, depth) for depth in (None, 2, 1))
    assert "dense(4)" in whole and "\n    dense" not in folded
    assert "inner.Unit" in folded and "inner.Unit" not in flat and "h.Outer.2" in flat
    assert whole.split("\n\n")[-1] == flat.split("\n\n")[-1]  # totals do not change


def test_json_has_the_same_numbers() -> None:
    found = measured(SMALL)
    data = json.loads(json.dumps(as_data(found)))
    assert data["parameters"] == {"total": 67, "trained": 67, "not_trained": 0}
    assert data["bytes"] == found.nbytes == data["bytes_by_batch"]["8"]
    assert list(data["bytes_by_batch"]) == ["1", "8", "32", "128"]
    assert data["flops"]["predict"] == found.declaration.flops
    assert [layer["path"] for layer in data["layers"]][:2] == ["logits.dense", "logits.relu"]


def test_long_calls_are_cut() -> None:
    program = program_of(DEEP)
    made = declaration_of(program, make_graphs(program), "float32")
    row = made.layers[0]._replace(call="x" * 500)
    assert "x" * 45 + "..." in summary_text(made._replace(layers=(row,)), 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 "), (999, "999 "), (1000, "1 k"), (12345, "12.3 k"), (999_600, "1 M"), (5e12, "5 T"), (5e15, "5e+03 T")],
)
def test_numbers_with_prefixes(value: float, text: str) -> None:
    assert with_prefix(value) == text


def test_a_model_that_cannot_be_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unsupported("there is no kernel for it")

    monkeypatch.setattr("kdsl.plan.model.plan_model", refuse)
    with pytest.raises(CliError, match="Small cannot be planned: there is no kernel for it"):
        measured(SMALL)
    assert measured(SMALL, target="numpy").nbytes > 0
