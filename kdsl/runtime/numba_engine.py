"""The compiled part of a module of the numba target: one array of numbers, and the functions that work on it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kdsl.runtime.engine import Array, Arrays
from kdsl.runtime.numba_kernel import entry
from kdsl.runtime.numba_team import Team, usable_threads
from kdsl.runtime.simd import BITS, PANEL, padded

# Words of a job: what an entry function finds at its first argument. Addresses, then numbers, then the data's addresses.
MEM, TEAM, PARTIALS, TOTALS, HYPER, ORDER = 0, 1, 2, 3, 4, 5
FIRST, COUNT, BATCH, CAPACITY, KEPT, STEP, SEED, PHASE, BAD, NUMBERS, DATA = 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
CHUNKS_AT_ONCE = 256  # blocks of rows in one phase of evaluate and predict
SCALAR = np.dtype(np.float32 if BITS == 32 else np.float64)
OUTPUTS = {"bool": np.dtype(np.bool_), "i32": np.dtype(np.int32), "index": np.dtype(np.int32), "u8": np.dtype(np.uint8)}


class Layout(NamedTuple):
    """What an engine must know of its model; offsets and sizes in numbers.

    weights         name -> (offset, shape, whether it lies in panels); the optimizer's states lie behind the weights
                    that are trained, in the same order
    panels          name -> offset of a copy in panels, which products read
    transposed      name -> offset of one with rows and columns exchanged, which the backward pass reads
    constants       offset -> numbers
    zeros, ones     of vectors `widest` long
    fixed           numbers before the threads' scratch; `scratch` numbers for each thread, then `kept` for each row of
                    a batch and `partial` for each block; `rows` is the batch there is room for at first
    block_rows      rows that one thread takes at a time
    sums, results   numbers that a block of rows, and the whole step, give: loss and metrics; `numbers` that a step keeps
    pieces          sums of squares that clipping by norm needs
    chunks          of one update: more threads have no work
    outputs         dtype and shape of each
    functions       predict, and where there is a train block evaluate and train
    prepares        for each of them what must run before it when weights have changed, or None
    """

    weights: dict[str, tuple[int, tuple[int, ...], bool]]
    panels: dict[str, int]
    transposed: dict[str, int]
    constants: dict[int, tuple[float, ...]]
    ones: int
    widest: int
    weight_numbers: int
    slots: tuple[str, ...]
    fixed: int
    scratch: int
    kept: int
    partial: int
    rows: int
    block_rows: int
    sums: int
    numbers: int
    results: int
    pieces: int
    chunks: int
    inputs: int
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    functions: tuple[Callable[..., None], ...]
    prepares: tuple[Callable[..., None] | None, ...]


def in_lines(value: Array) -> Array:
    """[.., columns] -> [..][columns] with padded lines, in one line; padding is zeros."""
    matrix = value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)
    wide = np.zeros((len(matrix), padded(matrix.shape[1])), SCALAR)
    wide[:, : matrix.shape[1]] = matrix
    return wide.ravel()


def in_panels(matrix: Array) -> Array:
    """[rows, columns] -> [columns / 16][rows][16], in one line; padding is zeros."""
    wide = in_lines(matrix).reshape(len(matrix), -1, PANEL)
    return np.ascontiguousarray(wide.transpose(1, 0, 2)).ravel()


def from_panels(line: Array, rows: int) -> Array:
    """The padded lines of a matrix in panels."""
    return line.reshape(-1, rows, PANEL).transpose(1, 0, 2).reshape(rows, -1)


def aligned(count: int) -> Array:
    """Zeros that begin at a cache line."""
    raw = np.zeros(count + 64 // SCALAR.itemsize, SCALAR)
    start = -raw.ctypes.data % 64 // SCALAR.itemsize
    return raw[start : start + count]


class NumbaEngine:
    """See `Core`. `threads` is None for as many as there are processors; results do not depend on it."""

    def __init__(self, layout: Layout, threads: int | None = None) -> None:
        self.layout = layout
        self.team = Team(usable_threads(CHUNKS_AT_ONCE, threads))
        self.totals = np.zeros(max(1, layout.results))
        self.job = (ctypes.c_int64 * (DATA + layout.inputs + len(layout.outputs) + 1))()
        self.address = ctypes.addressof(self.job)
        self.entries: dict[Callable[..., None], Any] = {}
        self.prepared = -1  # the function whose values made of weights are there
        self.numbers = np.zeros(max(1, layout.numbers))
        self.turn = threading.Lock()  # one call at a time: they share the job and the scratch
        self.mem = aligned(0)
        self.capacity = 0
        self.reserve(layout.rows)
        self.mem[layout.ones : layout.ones + layout.widest] = 1.0
        for offset, numbers in layout.constants.items():
            self.mem[offset : offset + len(numbers)] = numbers

    def reserve(self, rows: int) -> None:
        """Room for batches of this many rows."""
        if rows <= self.capacity:
            return
        layout = self.layout
        before, kept = self.mem, layout.fixed + self.team.threads * layout.scratch
        blocks = -(-rows // layout.block_rows)
        # Some kernels read up to a panel too far.
        self.mem = aligned(kept + rows * layout.kept + blocks * layout.partial + PANEL)
        self.mem[: min(layout.fixed, before.size)] = before[: layout.fixed]
        self.partials = np.zeros(max(CHUNKS_AT_ONCE, blocks) * layout.sums + layout.pieces + 1)
        self.capacity = rows
        job = self.job
        job[MEM], job[PARTIALS], job[TOTALS] = self.mem.ctypes.data, self.partials.ctypes.data, self.totals.ctypes.data
        job[TEAM], job[NUMBERS] = self.team.words.ctypes.data, self.numbers.ctypes.data
        job[CAPACITY], job[KEPT] = rows, kept
        raw = self.mem.base.nbytes if self.mem.base is not None else self.mem.nbytes
        held = (self.partials, self.totals, self.numbers, self.team.words)
        self.nbytes = int(raw) + sum(array.nbytes for array in held) + ctypes.sizeof(job)

    # ---- weights and the optimizer's states -----------------------------------------------------------------------------

    def place(self, name: str, slot: str | None) -> tuple[Array, tuple[int, ...], bool]:
        """The numbers of a weight, or of one of its states, where they lie; its shape; whether they lie in panels."""
        offset, shape, panels = self.layout.weights[name]
        if slot is not None:
            offset += (self.layout.slots.index(slot) + 1) * self.layout.weight_numbers
        lines, columns = int(np.prod(shape[:-1])), padded(shape[-1]) if shape else PANEL
        return self.mem[offset : offset + lines * columns], shape, panels

    def get(self, name: str, slot: str | None) -> Array:
        line, shape, panels = self.place(name, slot)
        columns = shape[-1] if shape else 1
        wide = from_panels(line, shape[0]) if panels else line.reshape(-1, padded(columns))
        return np.array(wide[:, :columns]).reshape(shape)

    def put(self, name: str, slot: str | None, value: Array) -> None:
        line, shape, panels = self.place(name, slot)
        array = np.asarray(value, SCALAR).reshape(shape)
        line[:] = in_panels(array) if panels else in_lines(array)
        if slot is not None:
            return
        self.prepared = -1
        if name in self.layout.panels:
            self.copy(self.layout.panels[name], in_panels(array))
        if name in self.layout.transposed:
            tall = np.zeros((padded(shape[1]), shape[0]), SCALAR)
            tall[: shape[1]] = array.T
            self.copy(self.layout.transposed[name], in_panels(tall))

    def copy(self, offset: int, numbers: Array) -> None:
        self.mem[offset : offset + numbers.size] = numbers

    def get_weight(self, name: str) -> Array:
        return self.get(name, None)

    def set_weight(self, name: str, value: Array) -> None:
        self.put(name, None, value)

    def get_slot(self, slot: str, name: str) -> Array:
        return self.get(name, slot)

    def set_slot(self, slot: str, name: str, value: Array) -> None:
        self.put(name, slot, value)

    # ---- compiled functions ------------------------------------------------------------------------------------------------

    def call(self, function: Callable[..., None]) -> Any:
        """A compiled function as Python can call it."""
        if function not in self.entries:
            self.entries[function] = entry(function)
        return self.entries[function]

    def run(self, function: int, chunks: int) -> None:
        """One compiled function, on all threads if it has more than one chunk of work."""
        prepare = self.layout.prepares[function]
        if prepare is not None and self.prepared != function:
            self.call(prepare)(self.address, 0)
        self.prepared = function
        call = self.call(self.layout.functions[function])
        self.job[PHASE] = self.team.first_phase()
        if chunks > 1:
            self.team.run(call, self.address)
        else:
            call(self.address, 0)

    def train(
        self, inputs: Arrays, targets: Arrays, order: Array, batch_size: int, step: int, seed: int, hyper: Array
    ) -> tuple[Array, int]:
        with self.turn:
            layout, job = self.layout, self.job
            rows = np.ascontiguousarray(order, np.int64)
            numbers = np.ascontiguousarray(hyper, np.float64)
            largest = min(batch_size, len(rows))
            self.reserve(largest)
            self.totals[:] = 0.0
            job[ORDER], job[FIRST], job[COUNT], job[BATCH] = rows.ctypes.data, 0, len(rows), batch_size
            job[STEP], job[SEED], job[HYPER], job[BAD] = step, seed % 2**32, numbers.ctypes.data, -1
            for index, array in enumerate((*inputs, *targets)):
                job[DATA + index] = array.ctypes.data
            self.run(2, max(-(-largest // layout.block_rows), layout.chunks))
            return self.totals.copy(), int(job[BAD])

    def evaluate(self, inputs: Arrays, targets: Arrays, start: int, stop: int) -> Array:
        with self.turn:
            job = self.job
            self.totals[:] = 0.0
            job[ORDER], job[FIRST], job[COUNT] = 0, start, stop - start
            for index, array in enumerate((*inputs, *targets)):
                job[DATA + index] = array.ctypes.data
            self.run(1, -(-(stop - start) // self.layout.block_rows))
            totals: Array = self.totals.copy()
            return totals

    def predict(self, inputs: Arrays, start: int, stop: int) -> Arrays:
        with self.turn:
            layout, job, count = self.layout, self.job, stop - start
            job[ORDER], job[FIRST], job[COUNT] = 0, start, count
            index = DATA
            for array in inputs:
                job[index] = array.ctypes.data
                index += 1
            outputs = tuple([np.empty((count, *shape), SCALAR) for _, shape in layout.outputs])
            for output in outputs:
                job[index] = output.ctypes.data
                index += 1
            self.run(0, -(-count // layout.block_rows))
            dtypes = [OUTPUTS.get(dtype, SCALAR) for dtype, _ in layout.outputs]
            return tuple([array.astype(dtype, copy=False) for array, dtype in zip(outputs, dtypes, strict=True)])
