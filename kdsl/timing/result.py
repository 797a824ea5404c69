"""What was measured: calls of kernels, and what they add up to by layer and by kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["forward", "backward", "update"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "backward", "update")
FORMAT = 1  # of the JSON: raised when a field changes its meaning


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a kernel in the text of the module.

    layer    path of the layer it belongs to, or what stands for it: a weight's name, `loss`
    text     the layer as written
    count    how often a step makes it: once for each block of rows, or chunk of weights
    seconds  of one step, of all threads together
    flops    of one step;  bytes: read and written in one step, each value once
    """

    layer: str
    text: str
    place: str
    kernel: str
    direction: Direction
    ops: str
    count: float
    seconds: float
    flops: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Measured in the same run: floating-point operations a second of one thread, and of each of the threads used while all
    are busy; bytes a second that one thread copies, read and written."""

    one: float
    each: float
    copied: float


@dataclass(frozen=True, slots=True)
class Timing:
    """A step of `kind`, measured over `steps` steps. `step` is its seconds by the wall clock; `memory` the bytes that the
    model's buffers take."""

    model: str
    source: str
    kind: str
    dtype: str
    rows: int
    threads: int
    steps: int
    step: float
    memory: int
    machine: Machine
    calls: tuple[Call, ...]

    @property
    def kernels(self) -> float:
        """Seconds of a step inside kernels, as if the threads shared them evenly."""
        return sum(call.seconds for call in self.calls) / self.threads

    @property
    def flops(self) -> int:
        return sum(call.flops for call in self.calls)


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one layer, or of one kernel; seconds are the threads' share of a step."""

    name: str
    text: str
    place: str
    seconds: dict[str, float]  # by direction
    count: float
    flops: int
    bytes: int
    share: float | None  # of the peak; None where there is nothing to multiply

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def by_layer(timing: Timing) -> list[Group]:
    """In the order in which the layers run."""
    return grouped(timing, lambda call: call.layer)


def by_kernel(timing: Timing) -> list[Group]:
    """The one that takes longest first."""
    return sorted(grouped(timing, lambda call: call.kernel), key=lambda group: -group.total)


def grouped(timing: Timing, key: Callable[[Call], str]) -> list[Group]:
    found: dict[str, list[Call]] = {}
    for call in timing.calls:
        found.setdefault(key(call), []).append(call)
    return [_group(timing, name, calls) for name, calls in found.items()]


def _group(timing: Timing, name: str, calls: list[Call]) -> Group:
    seconds: dict[str, float] = {
        direction: sum(call.seconds for call in calls if call.direction == direction) / timing.threads
        for direction in DIRECTIONS
    }
    count, flops, moved = sum(c.count for c in calls), sum(c.flops for c in calls), sum(c.bytes for c in calls)
    return Group(name, calls[0].text, calls[0].place, seconds, count, flops, moved, share_of_peak(timing, calls))


def share_of_peak(timing: Timing, calls: Iterable[Call]) -> float | None:
    """Of what the same threads could have multiplied and added in that time."""
    chosen = list(calls)
    flops, seconds = sum(call.flops for call in chosen), sum(call.seconds for call in chosen)
    return flops / seconds / timing.machine.each if flops and seconds else None


def as_data(timing: Timing) -> dict[str, Any]:
    """The same for programs: seconds, operations and bytes of one step."""
    machine = timing.machine
    return {
        "format": FORMAT,
        "model": timing.model,
        "source": timing.source,
        "function": timing.kind,
        "dtype": timing.dtype,
        "rows": timing.rows,
        "threads": timing.threads,
        "steps": timing.steps,
        "step_seconds": timing.step,
        "kernel_seconds": timing.kernels,
        "flops": timing.flops,
        "memory_bytes": timing.memory,
        "machine": {
            "flops_per_second_of_one_thread": machine.one,
            "flops_per_second_of_each_thread": machine.each,
            "bytes_per_second_copied": machine.copied,
        },
        "layers": [_data_of(group, "layer") for group in by_layer(timing)],
        "kernels": [_data_of(group, "kernel") for group in by_kernel(timing)],
        "calls": [
            {
                "layer": call.layer,
                "call": call.text,
                "place": call.place,
                "kernel": call.kernel,
                "direction": call.direction,
                "ops": call.ops,
                "count": call.count,
                "seconds": call.seconds / timing.threads,
                "flops": call.flops,
                "bytes": call.bytes,
                "share_of_peak": share_of_peak(timing, [call]),
            }
            for call in timing.calls
        ],
    }


def _data_of(group: Group, kind: str) -> dict[str, Any]:
    named: dict[str, Any] = {kind: group.name}
    if kind == "layer":
        named |= {"call": group.text, "place": group.place}
    numbers = {"flops": group.flops, "bytes": group.bytes, "share_of_peak": group.share, "count": group.count}
    return named | {"seconds": {**group.seconds, "total": group.total}} | numbers
