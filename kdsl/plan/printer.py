"""A plan as text: what `kdsl ir FILE --after plan` shows. Every call of a kernel, where its value lies, and why it is this one.

train: a batch of 32 in blocks of 3 rows, each row has 137,632 numbers of scratch, and 524,288 stay in a cache

rows, pass 1 of 1 over the batch
  winograd  h.relu : f32[*, 30, 30, 32]  scratch  # cifar.kmodel:9
            why: Winograd's filtering, 2,304 products for each channel and filter instead of 8,100; ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kdsl.graph.printer import origin_text, type_text
from kdsl.plan.launch import Launch, Part, Stages
from kdsl.plan.model import ModelPlan
from kdsl.plan.update import Group, WeightStep

TITLES = {
    "prepare": "prepared, when weights have changed",
    "rows": "rows",
    "close": "made of the blocks' sums",
    "finish": "made of sums over the batch",
    "ahead": "made ahead: before the first step, then behind the update of their lines, for the next step",
    "after": "once the weights are updated",
}


def print_plan(plan: ModelPlan, kind: str) -> str:
    """All launches of one function, `train`, `evaluate` or `predict`; ends in a line feed."""
    made: Stages = getattr(plan, kind)
    lines = [f"{kind}: a batch of {plan.batch} in blocks of {plan.block_rows} rows: {plan.why_block_rows}"]
    passes = len(made.rows)
    lines += _part(made, made.prepare.launches, TITLES["prepare"])
    for number, (rows, close) in enumerate(zip(made.rows, made.close, strict=True)):
        lines += _part(made, rows.launches, f"rows, pass {number + 1} of {passes} over the batch")
        lines += _part(made, close.launches, TITLES["close"])
    if kind == "train":
        lines += _chunks("sums over the batch, cut into chunks", plan.late_groups)
        lines += _part(made, made.finish.launches, TITLES["finish"])
        lines += _chunks("update, cut into chunks that threads take", plan.groups)
        ahead = [launch for made_ahead in plan.ahead.values() for launch in (made_ahead.move, made_ahead.product)]
        lines += _part(made, ahead, TITLES["ahead"])
        lines += _part(made, made.after.launches, TITLES["after"])
    lines += ["", "numbers of memory"]
    per_thread = f"{plan.scratch:,} for each thread, of which kernels use {plan.scratch - plan.room:,} while they run"
    lines += [f"  {plan.memory.fixed:,} of weights, their copies and what is made of them", f"  {per_thread}"]
    lines += [f"  {plan.kept:,} for each row of a batch", f"  {plan.partial:,} for each block"]
    return "\n".join([*lines, ""])


def _part(made: Stages, launches: Sequence[Launch], title: str) -> Iterator[str]:
    if not launches:
        return
    yield from ("", title)
    widest = max(len(launch.kernel) for launch in launches)
    for launch in launches:
        yield f"  {launch.kernel or 'number':{widest}}  {_value(made, launch)}  # {origin_text(launch.node)}"
        if launch.why:
            yield f"  {'':{widest}}  why: {launch.why}"


def _value(made: Stages, launch: Launch) -> str:
    type = type_text(launch.node.type)
    if launch.writes is None or launch.writes not in made.buffers:
        return f"{launch.node.name} : {type}"
    buffer = made.buffers[launch.writes]
    return f"{launch.writes} : {type}  {buffer.home}, {buffer.layout.lines} x {buffer.layout.width}"


def _chunks(title: str, groups: Iterable[Group]) -> Iterator[str]:
    known = list(groups)
    if known:
        yield from ("", title)
    for group in known:
        names = [step.weight.path if isinstance(step, WeightStep) else _of(step.part) for step in group.steps]
        last = group.first + group.chunks - 1
        where = f"chunk {group.first}" if group.chunks == 1 else f"chunks {group.first} to {last}"
        yield f"  {where}: {', '.join(names)}"


def _of(part: Part) -> str:
    return ", ".join(launch.node.name for launch in part.launches)
