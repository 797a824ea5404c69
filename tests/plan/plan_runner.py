"""Runs the launches of a planned graph one by one, without a generated module. What lies in the padding of every buffer is
looked at afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from carried_kernels import Kernels
from small_graphs import Network, line

from kdsl.graph.graph import Graph
from kdsl.graph.types import TensorType
from kdsl.plan.launch import Buffer, Launch
from kdsl.plan.layout import PANEL, Layout, last_axis, padded
from kdsl.plan.places import Outside
from kdsl.plan.rows import lower_rows

SIZE, WIDEST = 1 << 20, 1 << 14  # numbers of memory, and of the vectors of zeros and ones
DATA = {"u8": np.uint8, "bool": np.uint8, "i32": np.int32, "index": np.int32}
kernels_of = cache(Kernels)


def key_of(seed: int, step: int, stream: int) -> int:
    """The key of a random op, as the step's function makes it."""

    def mix(h: int) -> int:
        h = ((h ^ (h >> 16)) * 0x7FEB352D) % 2**32
        h = ((h ^ (h >> 15)) * 0x846CA68B) % 2**32
        return h ^ (h >> 16)

    h = mix((seed * 0x9E3779B1 + 1) % 2**32)
    h = mix((h + step * 0x85EBCA6B) % 2**32)
    return mix((h + stream * 0xC2B2AE35) % 2**32)


class Runner:
    """One graph, planned and run over `rows` rows, all in one block, with numbers of `bits` bits."""

    def __init__(self, graph: Graph, rows: int, bits: int = 32, size: int = SIZE) -> None:
        self.graph, self.rows, self.size = graph, rows, size
        self.kernels = kernels_of(bits)
        self.scalar = np.dtype(f"float{bits}")
        self.constants: dict[tuple[float, ...], str] = {}
        self.weights = {node.name: f"WEIGHT_{n}" for n, node in enumerate(graph.of("weight"))}
        outside = Outside(
            weight=self.weights.__getitem__,
            in_panels=lambda path: False,
            panels=lambda path: f"{self.weights[path]}_PANELS",
            transposed=lambda path: f"{self.weights[path]}_TRANSPOSED",
            constant=lambda values: self.constants.setdefault(values, f"CONSTANTS_{len(self.constants)}"),
            maps=self.kernels.maps,
            taken=frozenset(self.kernels.known),
        )
        self.stages = lower_rows(graph, outside, {}, [value for _, value in graph.outputs])

    def run(
        self, data: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], seed: int = 0, step: int = 0
    ) -> dict[str, np.ndarray]:
        """-> the values of the graph's outputs. What nothing writes is NaN."""
        self.mem = np.full(self.size, np.nan, self.scalar)
        self.mem[:WIDEST], self.mem[WIDEST : 2 * WIDEST] = 0.0, 1.0
        self.used = 2 * WIDEST
        self.space: dict[str, Any] = {"ZEROS": 0, "ONES": WIDEST, "LOWEST": float("-inf"), "mem": self.mem}
        self.space |= {"rows": self.rows, "count": self.rows, "order": 0, "first": 0, "start": 0}
        self.space |= {f"key_{stream}": key_of(seed, step, stream) for stream in range(9)}
        self._place_values(weights)
        arrays = self._place_data(data)
        parts = [self.stages.prepare]
        for rows, close in zip(self.stages.rows, self.stages.close, strict=True):
            parts += [rows, close]
        for part in (*parts, *self.stages.late, self.stages.finish):
            for share, whole in part.partials:
                self.space[whole.name] = self.space[share.name]  # a single block's sum is the sum
            for launch in part.launches:
                self._launch(launch)
        del arrays
        for buffer in self.stages.buffers.values():
            self._check_padding(buffer)
        return {name: self._value(value) for name, value in self.graph.outputs}

    # -- memory --------------------------------------------------------------------------------------------------------

    def _room(self, numbers: int) -> int:
        at = self.used
        self.used += padded(numbers) + 2 * PANEL
        assert self.used <= self.size, "more memory"
        return at

    def _put(self, name: str, line: np.ndarray) -> None:
        at = self.space[name] = self._room(line.size)
        self.mem[at : at + padded(line.size)] = 0.0
        self.mem[at : at + line.size] = line

    def _place_values(self, weights: Mapping[str, np.ndarray]) -> None:
        for path, name in self.weights.items():
            value = np.asarray(weights[path], self.scalar)
            layout = last_axis(TensorType("f32", value.shape))
            lines = np.zeros((layout.lines, layout.step), self.scalar)
            lines[:, : layout.width] = value.reshape(layout.lines, -1)
            self._put(name, lines.ravel())
            if value.ndim == 2:
                self._put(f"{name}_PANELS", in_panels(value))
                self._put(f"{name}_TRANSPOSED", in_panels(np.pad(value.T, ((0, -value.shape[1] % PANEL), (0, 0)))))
        for values, name in self.constants.items():
            self._put(name, np.asarray(values, self.scalar))
        self.space["room"] = self._room(self.stages.room)
        for buffer in self.stages.buffers.values():
            self.space[buffer.name] = self._room(buffer.layout.row * (self.rows if buffer.batched else 1))

    def _place_data(self, data: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        arrays = []
        for port, name in self.stages.data_names.items():
            node = next(n for n in self.graph if n.op in ("input", "target") and n.attribute("name") == port)
            arrays.append(np.ascontiguousarray(data[port], DATA.get(node.type.dtype, self.scalar)))
            self.space[name] = arrays[-1].ctypes.data
        return arrays

    def lines(self, at: int, lines: int, width: int, step: int) -> np.ndarray:
        item = self.scalar.itemsize
        return np.lib.stride_tricks.as_strided(self.mem[at:], (lines, width), (item * step, item))

    # -- one launch, and what it left ----------------------------------------------------------------------------------

    def _launch(self, launch: Launch) -> None:
        names, function = self.kernels(launch.kernel)
        given = {key: eval(text, {}, self.space) for key, text in launch.arguments}
        assert {"mem", *given} == set(names), (launch.kernel, names, given)
        function(*(self.mem.ctypes.data if name == "mem" else given[name] for name in names))

    def _check_padding(self, buffer: Buffer) -> None:
        layout, at = buffer.layout, self.space[buffer.name]
        lines = layout.lines * (self.rows if buffer.batched else 1)
        padding = self.lines(at + layout.width, lines, padded(layout.width) - layout.width, layout.step)
        unused = np.isnan(self.mem[at : at + lines * layout.step]).all()
        assert unused or (padding == 0).all(), f"padding of {buffer.name}"

    def _value(self, value: str) -> np.ndarray:
        buffer, node = self.stages.places[value], self.graph[value]
        layout: Layout = buffer.layout
        rows = self.rows if node.type.batched else 1
        found = self.lines(self.space[buffer.name], rows * layout.lines, layout.width, layout.step)
        return np.array(found).reshape((rows, *node.type.shape) if node.type.batched else node.type.shape)


def in_panels(matrix: np.ndarray) -> np.ndarray:
    """[rows, columns] -> [columns / 16][rows][16], in one line."""
    rows, columns = matrix.shape
    wide = np.pad(matrix, ((0, 0), (0, -columns % PANEL)))
    return np.ascontiguousarray(wide.reshape(rows, -1, PANEL).transpose(1, 0, 2)).ravel()


def graph_of(op: str, types: list[TensorType], attributes: dict[str, Any]) -> Graph:
    """A graph of one op, whose operands `x0`, `x1` .. are inputs or weights, and whose value is the output `y`."""
    net = Network()
    operands = []
    for place, type in enumerate(types):
        kind, settings = ("input", {"name": f"x{place}"}) if type.batched else ("weight", {"trainable": True})
        with net.build.at(line(1), layer=""):
            operands.append(net.build.source(kind, f"x{place}", type, settings))
    net.output("y", net.op(op, *operands, **attributes))
    return net.graph()
