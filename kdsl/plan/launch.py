"""What a function of a generated module is made of: launches of kernels, and the buffers between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdsl.graph.graph import Node
from kdsl.plan.layout import Layout


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of a kernel.

    arguments  (parameter, text) pairs; the texts are names of buffers and weights, and numbers
    node       what it computes: its origin and shapes are the comment above the call
    reads      names of the buffers it reads; `writes` the one it fills, or None
    total      the place of the number it returns among the block's sums, or None; `divisor` is what it is divided by
    streams    the random streams it draws from
    """

    kernel: str
    arguments: tuple[tuple[str, str], ...]
    node: Node
    reads: tuple[str, ...] = ()
    writes: str | None = None
    total: int | None = None
    divisor: int = 1
    streams: tuple[int, ...] = ()


@dataclass(slots=True)
class Buffer:
    """A batched value in memory. `kept` ones have room for a whole batch, because the weights' gradients read them;
    the others live in the scratch of one thread, for one block of rows, and share it as their lives allow.

    first, last   the launches between which it holds its value
    offset        numbers per row that lie before it: of the batch where it is kept, else of a block
    """

    name: str
    layout: Layout
    kept: bool = False
    first: int = 0
    last: int = 0
    offset: int = 0


@dataclass(slots=True)
class RowFunction:
    """What happens to a block of rows, from the data to the losses and, in training, back to every layer.

    data     inputs and targets it reads
    sums     how many numbers it returns; `results` are the loss and the metrics, written with `sums[0]`, ... and `rows`
    places   where values that others ask for ended: value -> buffer
    kept     numbers per row of the batch, `scratch` per row of a block
    """

    launches: list[Launch] = field(default_factory=list)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    data_names: dict[str, str] = field(default_factory=dict)
    sums: int = 0
    results: list[str] = field(default_factory=list)
    places: dict[str, Buffer] = field(default_factory=dict)
    kept: int = 0
    scratch: int = 0

    @property
    def streams(self) -> list[int]:
        return sorted({stream for launch in self.launches for stream in launch.streams})
