"""The text that `kdsl time` prints."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.runtime.summary import with_prefix
from kdsl.timing.result import DIRECTIONS, Group, Timing, by_kernel, by_layer, share_of_peak

WIDEST = 40  # characters of a call or of a kernel's ops: what does not fit is cut
FUNCTIONS = {"train": "a training step", "predict": "predict"}
BETWEEN = {
    "train": "taking chunks, waiting for other threads",
    "predict": "the call from Python, taking chunks, waiting for other threads",
}


def as_text(timing: Timing, by: str) -> str:
    """A table by `layer`, `kernel` or `call`; below it what the step took, and what the machine could do."""
    tables = {"layer": _layers, "kernel": _kernels, "call": _calls}
    threads = f"{timing.threads} thread{'s' * (timing.threads > 1)}"
    title = f"{timing.model} ({timing.source}): {heading(timing)}, {threads}, {timing.dtype}"
    return "\n".join([title, "", *tables[by](timing), "", *totals(timing)])


def heading(timing: Timing) -> str:
    return f"{FUNCTIONS[timing.kind]} of {timing.rows} row{'s' * (timing.rows != 1)}"


def duration(seconds: float) -> str:
    """`12.3 us`, `456 ns`: three digits; empty for nothing."""
    if not seconds:
        return ""
    for unit, factor in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _layers(timing: Timing) -> list[str]:
    groups = by_layer(timing)
    used = [direction for direction in DIRECTIONS if any(group.seconds[direction] for group in groups)]
    head = ["layer", "call", *used, *(["total"] if len(used) > 1 else []), *COSTS, "line"]
    rows = []
    for group in groups:
        times = [duration(group.seconds[direction]) for direction in used]
        times += [duration(group.total)] if len(used) > 1 else []
        rows.append([group.name, _cut(group.text), *times, *_costs(timing, group), group.place])
    return table(head, rows, left={0, 1, len(head) - 1})


def _kernels(timing: Timing) -> list[str]:
    rows = [
        [group.name, f"{group.count:,.0f}", duration(group.total), *_costs(timing, group)]
        for group in by_kernel(timing)
    ]
    return table(["kernel", "calls", "time", *COSTS], rows, left={0})


FILTERED = """
Convolutions by Winograd's minimal filtering do a quarter of the multiplications that are counted here, those of the
direct sums: more than 100 % of the peak is no mistake."""
COSTS = ("of step", "FLOP", "bytes", "of peak")


def _costs(timing: Timing, group: Group) -> list[str]:
    work = with_prefix(group.flops).rstrip() if group.flops else ""
    return [percent(group.total / timing.step), work, f"{with_prefix(group.bytes)}B", percent(group.share)]


def _calls(timing: Timing) -> list[str]:
    rows = []
    for call in timing.calls:
        seconds = call.seconds / timing.threads
        work = with_prefix(call.flops).rstrip() if call.flops else ""
        costs = [percent(seconds / timing.step), work, f"{with_prefix(call.bytes)}B"]
        costs.append(percent(share_of_peak(timing, [call])))
        named = [call.layer, call.direction, call.kernel, _cut(call.ops)]
        rows.append([*named, f"{call.count:,.0f}", duration(seconds), *costs])
    return table(["layer", "", "kernel", "computes", "calls", "time", *COSTS], rows, left={0, 1, 2, 3})


def totals(timing: Timing) -> list[str]:
    """What stands under a table."""
    machine, step, between = timing.machine, timing.step, max(0.0, timing.step - timing.kernels)
    speed = timing.flops / step
    lines = [
        ("in kernels", duration(timing.kernels), percent(timing.kernels / step)),
        ("between them", duration(between), f"{percent(between / step)}: {BETWEEN[timing.kind]}"),
        (
            "step",
            duration(step),
            f"{timing.rows / step:,.0f} rows a second; the fastest of several rounds of {timing.steps}",
        ),
    ]
    whole = machine.each * timing.threads
    shown = [f"{name:18}{time:>8}  {text}".rstrip() for name, time, text in lines]
    peak = f"{with_prefix(machine.one)}FLOP/s in one thread"
    if timing.threads > 1:
        peak += f", {with_prefix(whole)}FLOP/s in {timing.threads}"
    return [
        *shown,
        f"work              {with_prefix(timing.flops)}FLOP, {with_prefix(speed)}FLOP/s, {percent(speed / whole)} of peak",
        f"peak              {peak}; {with_prefix(machine.copied)}B/s copied",
        f"memory            {timing.memory:,} bytes ({with_prefix(timing.memory)}B)",
        *([FILTERED] if any(call.kernel in ("winograd", "winograd_gradient") for call in timing.calls) else []),
    ]


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: set[int]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
