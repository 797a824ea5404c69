"""What the functions of a generated module are made of: launches of kernels, and the buffers between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kdsl.graph.graph import Node
from kdsl.plan.layout import Layout

HERE = "here"  # stands for where a launch writes, in those that are written for the piece at hand
ROOM = "room"  # stands for the place behind a thread's scratch that kernels may use while they run
Home = Literal["scratch", "kept", "fixed", "partial", "weight", "constant"]
PartKind = Literal["prepare", "rows", "close", "late", "finish", "after"]


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of a kernel, or, where `kernel` is empty, one number computed.

    arguments  (parameter, text) pairs; the texts are names of buffers and weights, and numbers
    node       what it computes: its origin and shapes are the comment above the call
    reads      names of the buffers it reads; `writes` the one it fills, or None
    total      the place of the number it returns among the block's sums, or None; `divisor` is what it is divided by
    number     the same among the numbers of the whole batch; `value` is that number's text where no kernel makes it
    streams    the random streams it draws from
    comment    what stands above the call instead of the source line
    why        why it is this kernel, where there was a choice
    """

    kernel: str
    arguments: tuple[tuple[str, str], ...]
    node: Node
    reads: tuple[str, ...] = ()
    writes: str | None = None
    total: int | None = None
    divisor: int = 1
    streams: tuple[int, ...] = ()
    number: int | None = None
    value: str = ""
    comment: str = ""
    why: str = ""


@dataclass(slots=True)
class Buffer:
    """A value in memory. `name` is the text of where it begins: at the block's first row if it has rows.

    home    scratch: rows of a block, in the memory of one thread, which its buffers share as their lives allow.
            kept: rows of the whole batch, because another stage or the weights' gradients read them.
            fixed: a value without rows.  partial: a block's share of one that is a sum over the batch.
            weight, constant: what is there from the start
    first, last   the launches of its part between which a scratch buffer holds its value
    offset        numbers before it: for each row of a block (scratch) or of the batch (kept), for each block (partial),
                  or in all (fixed)
    """

    name: str
    layout: Layout
    home: Home = "scratch"
    first: int = 0
    last: int = 0
    offset: int = 0
    part: Part | None = field(default=None, repr=False, compare=False)

    @property
    def kept(self) -> bool:
        return self.home == "kept"

    @property
    def batched(self) -> bool:
        return self.home in ("scratch", "kept")


@dataclass(slots=True)
class Part:
    """Launches that make one function.

    kind     prepare: values made of weights alone, before a batch.  rows: a block of rows.
             close: after the last block of a rows part, what is made of its sums.
             late: a sum over the batch that only gradients of weights read, over the kept rows of the whole batch.
             finish: after the late sums, what is made of them.
             after: once the weights are updated, moving averages get their new values
    stage    counts the rows parts, and the close parts behind them
    totals   the numbers that a rows part sums up: places among the block's sums
    partials (partial buffer, fixed buffer) pairs: what the close part adds up, block by block
    data     inputs and targets that it reads
    scratch  numbers for each row of a block
    """

    kind: PartKind
    stage: int = 0
    launches: list[Launch] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    partials: list[tuple[Buffer, Buffer]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    scratch: int = 0

    @property
    def streams(self) -> list[int]:
        return sorted({stream for launch in self.launches for stream in launch.streams})


@dataclass(slots=True)
class Stages:
    """What happens to a batch: prepare, then rows and close for each stage; in training, late sums and finish behind them.

    sums      how many numbers a block of rows gives; `results` are the loss and the metrics times the rows, written
              with `sum_0` .., `numbers[0]` .. and `rows`
    linear    whether each result is the mean of one sum, so that batches may be cut anywhere
    numbers   how many numbers of the whole batch are kept for later parts
    places    where values that others ask for ended: value -> buffer
    own       launches over whole weights that the update does piece by piece: value -> launch, into the buffer HERE
    kept      numbers per row of the batch; `partial` per block; `fixed` in all; `room` for a kernel while it runs
    """

    prepare: Part = field(default_factory=lambda: Part("prepare"))
    rows: list[Part] = field(default_factory=list)
    close: list[Part] = field(default_factory=list)
    late: list[Part] = field(default_factory=list)
    finish: Part = field(default_factory=lambda: Part("finish"))
    after: Part = field(default_factory=lambda: Part("after"))
    buffers: dict[str, Buffer] = field(default_factory=dict)
    data_names: dict[str, str] = field(default_factory=dict)
    sums: int = 0
    results: list[str] = field(default_factory=list)
    linear: bool = True
    numbers: int = 0
    places: dict[str, Buffer] = field(default_factory=dict)
    own: dict[str, Launch] = field(default_factory=dict)
    kept: int = 0
    partial: int = 0
    fixed: int = 0
    room: int = 0

    @property
    def launches(self) -> list[Launch]:
        parts = (self.prepare, *self.rows, *self.close, *self.late, self.finish, self.after)
        return [launch for part in parts for launch in part.launches]

    @property
    def scratch(self) -> int:
        """Numbers for each row of a block."""
        return max((part.scratch for part in self.rows), default=0)
