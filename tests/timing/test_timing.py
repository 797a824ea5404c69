"""`kdsl time`: every kernel's call is timed, and the parts add up. No test looks at how long anything takes."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from typing import Any
from xml.dom import minidom

import pytest

from kdsl.codegen.clocks import Clocks
from kdsl.codegen.module import module_text
from kdsl.codegen.numba import numba_sections
from kdsl.codegen.sections import Options
from kdsl.elaborate import ModelProgram, elaborate
from kdsl.passes.pipeline import make_graphs
from kdsl.source import Source
from kdsl.syntax import parse
from kdsl.timing.chart import chart
from kdsl.timing.measure import CannotTime, Wanted, measure, random_data
from kdsl.timing.report import as_text, duration
from kdsl.timing.result import DIRECTIONS, Timing, as_data, by_kernel, by_layer

MODEL = """\
model Net {
  input  image: u8[6, 6, 3]
  target label: index(4)
  logits = image -> rescale(1 / 255) -> conv(5, kernel = 3) -> relu -> max_pool(2) -> flatten -> dense(7) -> relu -> dense(4)
  output probabilities = softmax(logits)
}

train Net {
  loss      = cross_entropy(logits, label)
  optimizer = adam(lr = 1e-3, clip_norm = 1.0)
  batch     = 24
}
"""


def program_of(text: str) -> tuple[Source, ModelProgram]:
    source = Source("net.kmodel", text)
    elaborated = elaborate(parse(source).tree, {})
    assert not elaborated.diagnostics
    return source, elaborated.models[0]


@pytest.fixture(scope="module")
def timing() -> Timing:
    return measure(*program_of(MODEL), Wanted("train", 24, threads=2, steps=5))


def test_every_call_of_a_kernel_has_a_clock() -> None:
    source, program = program_of(MODEL)
    clocks = Clocks("train")
    pairs = [(program, make_graphs(program))]
    text = module_text(source, pairs, numba_sections, Options(clocks=clocks))
    plain = module_text(source, pairs, numba_sections, Options())
    assert "read_clock" not in plain and "note_time" not in plain
    assert text.count("note_time(longs_at(") == len(clocks.calls)
    tree = ast.parse(text)
    timed: list[str] = []
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.args.args]
    for function in functions:
        if function.args.args[0].arg != "job" or re.search("predict|evaluate", function.name):
            continue
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
        kernels = [n.func.id for n in calls if n.args and ast.unparse(n.args[0]) == "mem"]  # type: ignore[attr-defined]
        noted = [n for n in calls if n.func.id == "note_time"]  # type: ignore[attr-defined]
        assert len(kernels) == len(noted), function.name
        timed += kernels
    assert sorted(timed) == sorted(call.kernel for call in clocks.calls)


def test_calls_know_their_layer_their_direction_and_their_work(timing: Timing) -> None:
    found = {(call.layer, call.direction) for call in timing.calls}
    for layer in ("logits.conv", "logits.dense", "logits.dense_2"):
        assert {(layer, direction) for direction in DIRECTIONS} <= found
    assert ("logits.max_pool", "forward") in found and ("logits.max_pool", "update") not in found
    assert all(call.count > 0 and call.seconds >= 0 and call.bytes > 0 for call in timing.calls)
    assert all(call.place.startswith("net.kmodel:") for call in timing.calls)
    dense = [c for c in timing.calls if c.layer == "logits.dense_2" and c.direction == "forward" and c.flops]
    assert [call.kernel for call in dense] == ["dense"]
    assert dense[0].flops >= 2 * 7 * 4 * 24


def test_operations_are_those_that_summary_counts(timing: Timing) -> None:
    from kdsl.codegen.declare import flops

    _, program = program_of(MODEL)
    declared = flops(make_graphs(program).train) * 24
    assert 0.9 * declared < timing.flops <= declared


def test_groups_add_up_to_the_calls_and_calls_to_the_step(timing: Timing) -> None:
    whole = sum(call.seconds for call in timing.calls) / timing.threads
    assert timing.kernels == pytest.approx(whole)
    for groups in (by_layer(timing), by_kernel(timing)):
        assert sum(group.total for group in groups) == pytest.approx(whole)
        assert sum(group.flops for group in groups) == timing.flops
        assert sum(group.count for group in groups) == pytest.approx(sum(call.count for call in timing.calls))
    assert 0 < timing.kernels <= timing.step * 1.001  # no clock runs while another one of the same thread does
    assert [group.total for group in by_kernel(timing)] == sorted((g.total for g in by_kernel(timing)), reverse=True)
    assert [group.name for group in by_layer(timing)][:2] == ["logits.rescale", "logits.conv"]


def test_the_machine_was_measured(timing: Timing) -> None:
    machine = timing.machine
    assert machine.one > 1e8 and machine.each > 1e7 and machine.copied > 1e7
    assert timing.memory > 0 and timing.threads == 2 and timing.steps == 1


def test_json_has_one_form(timing: Timing) -> None:
    data = json.loads(json.dumps(as_data(timing)))
    assert list(data) == [
        *("format", "model", "source", "function", "dtype", "rows", "threads", "steps", "step_seconds"),
        *("kernel_seconds", "flops", "memory_bytes", "machine", "layers", "kernels", "calls"),
    ]
    assert data["format"] == 1 and data["function"] == "train" and data["rows"] == 24
    assert set(data["machine"]) == {
        "flops_per_second_of_one_thread",
        "flops_per_second_of_each_thread",
        "bytes_per_second_copied",
    }
    costs = {"seconds", "flops", "bytes", "share_of_peak", "count"}
    assert all(set(layer) == {"layer", "call", "place", *costs} for layer in data["layers"])
    assert all(set(kernel) == {"kernel", *costs} for kernel in data["kernels"])
    assert all(set(each["seconds"]) == {*DIRECTIONS, "total"} for each in data["layers"] + data["kernels"])
    named = {"layer", "call", "place", "kernel", "direction", "ops"}
    assert all(set(call) == named | costs for call in data["calls"])
    assert sum(call["seconds"] for call in data["calls"]) == pytest.approx(data["kernel_seconds"])


@pytest.mark.parametrize(("by", "head"), [("layer", "forward"), ("kernel", "calls"), ("call", "computes")])
def test_tables(timing: Timing, by: str, head: str) -> None:
    lines = as_text(timing, by).split("\n")
    assert lines[0] == "Net (net.kmodel): a training step of 24 rows, 2 threads, f32"
    assert head in lines[2] and "of peak" in lines[2]
    rows = {"layer": by_layer(timing), "kernel": by_kernel(timing), "call": timing.calls}[by]
    assert len(lines) == 4 + len(rows) + 7
    assert f"{timing.memory:,} bytes" in lines[-1]


def test_durations() -> None:
    assert [duration(s) for s in (0.0, 1.234e-8, 9.996e-7, 2.5e-5, 0.0999, 2.0)] == [
        "",
        "12.3 ns",
        "1 us",
        "25 us",
        "99.9 ms",
        "2 s",
    ]


def test_the_chart_is_one_bar_for_each_layer(timing: Timing) -> None:
    drawn = minidom.parseString(chart(timing))
    bars = drawn.getElementsByTagName("g")
    assert len(bars) == len(by_layer(timing))
    kinds = {r.getAttribute("class") for r in drawn.getElementsByTagName("rect")}
    assert kinds == {"page", "rest", *DIRECTIONS}
    hostile = replace(timing, calls=tuple(replace(call, layer='<&">') for call in timing.calls))
    minidom.parseString(chart(hostile))


def test_predict_is_timed_alone() -> None:
    text = MODEL.split("train Net")[0].replace("  target label: index(4)\n", "")
    found = measure(*program_of(text), Wanted("predict", 3, threads=1, steps=2))
    assert {call.direction for call in found.calls} == {"forward"}
    assert "deliver" in {call.kernel for call in found.calls}
    assert found.kind == "predict" and found.rows == 3 and found.kernels < found.step


def test_a_loss_that_is_not_finite_is_said() -> None:
    source, program = program_of("""\
model Net {
  input  x: f32[2]
  target y: f32
  z = x -> dense(1) -> reshape([])
  output z
}

train Net {
  loss      = mse(z, y)
  optimizer = sgd(lr = 1)
  batch     = 4
}
""")
    inputs, targets = random_data(program, 4)
    inputs["x"][:] = 1e38
    with pytest.raises(CannotTime, match="the loss is not finite"):
        measure(source, program, Wanted("train", 4, threads=1, steps=1), (inputs, targets))


def test_random_data_is_what_ports_declare() -> None:
    _, program = program_of(MODEL)
    data: Any = random_data(program, 9)
    assert data[0]["image"].shape == (9, 6, 6, 3) and data[0]["image"].max() > 100
    assert data[1]["label"].shape == (9,) and set(data[1]["label"]) <= {0, 1, 2, 3}
