"""Layouts, scratch, chunks: what the plan of a model promises."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl.compiler import compile_file
from kdsl.plan.launch import Buffer, Home, Part, Stages
from kdsl.plan.layout import Layout, layouts, leading, padded
from kdsl.plan.memory import WeightNeeds, map_memory, place_buffers
from kdsl.plan.model import ModelPlan, _evenly, plan_model
from kdsl.source import Source

CLASSIFIER = """\
model M(hidden: int = 28) {
  input image: u8[28, 28]
  target label: index(10)
  logits = image -> rescale(1 / 255) -> flatten -> dense(hidden) -> relu -> dense(10)
  output p = softmax(logits)
}
train M {
  loss      = cross_entropy(logits, label)
  optimizer = adam(lr = 1e-3)
  batch     = 32
}
"""


def plan(batch: int = 32, hidden: int = 28, without: Collection[str] = ()) -> ModelPlan:
    text = CLASSIFIER.replace("batch     = 32", f"batch     = {batch}").replace("= 28)", f"= {hidden})")
    compiled = compile_file(Source("m.kmodel", text), target="numpy")
    return plan_model(compiled.programs[0], compiled.graphs[0], set(), without=without)


def test_lines_are_padded_to_panels_and_kept_off_each_others_cache_sets() -> None:
    assert [padded(n) for n in (1, 16, 17)] == [16, 16, 32]
    assert leading(784) == 784
    assert leading(512) == 528  # 512 would put every row on the same few sets
    assert Layout(5, 7).row == 80


def test_a_flatten_of_the_input_moves_nothing() -> None:
    compiled = compile_file(Source("m.kmodel", CLASSIFIER), target="numpy")
    graph = compiled.graphs[0].predict
    found = layouts(graph)
    assert all(found[node.name] == Layout(1, 784) for node in graph if node.type.size == 784 and node.type.batched)
    made = plan()
    assert made.train is not None
    assert "relayout" not in {launch.kernel for launch in [*made.predict.launches, *made.train.launches]}


def test_epilogues_need_no_launch_of_their_own() -> None:
    kernels = [launch.kernel for launch in plan().predict.launches]
    assert kernels[1:] == ["dense", "dense", "softmax", "deliver"]


lives = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=12)


@settings(deadline=None)
@given(lives, st.booleans())
def test_buffers_that_live_together_do_not_overlap(drawn: list[tuple[int, int, int]], reuse: bool) -> None:
    part = Part("rows")
    made = Stages(rows=[part])
    for number, (first, length, panels) in enumerate(drawn):
        home: Home = "scratch" if number else "kept"
        buffer = Buffer(f"b{number}", Layout(1, 16 * panels), home, first, first + length, part=part)
        made.buffers[buffer.name] = buffer
    place_buffers(made, reuse)
    placed = [b for b in made.buffers.values() if not b.kept]
    assert made.kept == made.buffers["b0"].layout.row
    for number, a in enumerate(placed):
        assert a.offset + a.layout.row <= made.scratch
        for b in placed[:number]:
            together = a.first <= b.last and b.first <= a.last
            apart = a.offset + a.layout.row <= b.offset or b.offset + b.layout.row <= a.offset
            assert apart or (reuse and not together)


def test_reuse_saves_memory() -> None:
    assert plan().predict.scratch < plan(without={"reuse_buffers"}).predict.scratch


def test_every_column_of_every_weight_belongs_to_one_chunk() -> None:
    for hidden, batch in ((28, 32), (512, 128), (300, 128), (2048, 8)):
        made = plan(batch, hidden)
        assert [group.first for group in made.groups] == list(
            np.cumsum([0, *(group.chunks for group in made.groups)])[:-1]
        )
        steps = [step for group in made.groups for step in group.steps]
        assert sorted(step.weight.path for step in steps) == sorted(made.memory.weights)
        for group in made.groups:
            assert len(group.steps) == 1 or group.chunks == 1
            for step in group.steps:
                whole = step.weight.lines if step.by_lines else step.weight.columns
                assert (step.pieces - 1) * step.cut < whole <= step.pieces * step.cut
                assert step.cut % 16 == 0 or step.pieces == 1


def test_small_work_is_not_cut() -> None:
    assert plan(batch=8).update_chunks == 1
    assert plan(batch=128, hidden=512).update_chunks > 16
    assert plan(batch=128, hidden=512).block_rows == 32
    assert plan(batch=32).block_rows == 16  # two blocks: a second thread has work too


@pytest.mark.parametrize(
    ("most", "batch", "rows"), [(9, 32, 8), (10, 128, 8), (9, 128, 8), (4, 64, 4), (3, 32, 3), (1, 16, 1), (16, 20, 12)]
)
def test_blocks_share_a_batch_out_evenly(most: int, batch: int, rows: int) -> None:
    assert _evenly(most, batch) == rows


def test_nothing_in_memory_overlaps() -> None:
    shapes = {"a": (7, 20), "b": (20,), "c": (20, 3), "d": (), "e": (3, 5, 7), "frozen": (2, 18)}
    needs = [WeightNeeds(n, n.upper(), shape, n != "frozen", n in ("a", "c")) for n, shape in shapes.items()]
    memory = map_memory(needs, [("K", (1.0, 2.0))], ["frozen"], ["c"], ("m", "v"), 40, 48, keeps_gradients=True)
    weights = [(p.offset, p.size) for p in memory.weights.values()]
    trained = [(p.offset, p.size) for p in memory.weights.values() if p.path != "frozen"]
    ranges = [(0, memory.widest), (memory.ones, memory.widest), (memory.constants[0][1], 16), *weights]
    for number in (1, 2):
        ranges += [(offset + number * memory.weight_numbers, size) for offset, size in trained]
    ranges += [(memory.panels["frozen"], 2 * 32), (memory.transposed["c"], 32 * 16), (memory.values, 48)]
    assert memory.gradients is not None
    ranges += [(memory.gradients - memory.first_weight + offset, size) for offset, size in trained]
    used = np.zeros(memory.fixed, int)
    for offset, size in ranges:
        assert offset % 16 == 0
        used[offset : offset + size] += 1
    assert used.max() == 1
    assert used.min() == 1


def test_a_plan_is_the_same_every_time() -> None:
    first, second = plan(), plan()
    assert first.predict.launches == [
        replace(launch, node=mine.node)
        for launch, mine in zip(second.predict.launches, first.predict.launches, strict=True)
    ]
    assert first.memory == second.memory
