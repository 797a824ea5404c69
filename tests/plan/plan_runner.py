"""Runs the launches of a planned graph one by one, without a generated module: kernels in single precision, memory as the
plan lays it out. What lies in the padding of every buffer is looked at afterwards."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from small_graphs import Network, line

from kdsl.graph.graph import Graph
from kdsl.graph.types import TensorType
from kdsl.plan.launch import Buffer, Launch
from kdsl.plan.layout import last_axis, padded
from kdsl.plan.maps import Maps
from kdsl.plan.names import Names
from kdsl.plan.places import Outside
from kdsl.plan.rows import lower_rows
from kdsl.runtime import (
    numba_dense,
    numba_engine,
    numba_kernel,
    numba_measures,
    numba_moves,
    numba_softmax,
    numba_weights,
    simd,
    simd_functions,
    simd_memory,
    simd_random,
    simd_wide,
)
from kdsl.runtime.numba_kernel import KERNELS, kernel

MODULES = (simd, simd_functions, simd_memory, simd_random, simd_wide, numba_dense, numba_moves, numba_softmax)
MODULES += (numba_measures, numba_weights, numba_kernel)
SIZE = 1 << 20  # numbers of memory
C_KINDS = {"int": ctypes.c_int64, "float": ctypes.c_float, "None": None, "Double": ctypes.c_double}
POINTERS = {"f32": np.float32, "u8": np.uint8, "bool": np.uint8, "i32": np.int32, "index": np.int32}

NAMES = Names([name for module in MODULES for name in vars(module)])
MAPS = Maps(NAMES.fresh)  # kernels of all graphs of a test run: equal texts are compiled once
SPACE: dict[str, Any] = {name: value for module in MODULES for name, value in vars(module).items()}
COMPILED: dict[str, Any] = {}


def callable_kernel(name: str) -> Any:
    """A kernel as a function of Python numbers."""
    if name not in COMPILED:
        for known, text in MAPS.texts:
            if known == name:
                exec(compile(text, f"<{name}>", "exec"), SPACE)
                kernel(SPACE[name])
        kinds = dict(KERNELS[name].function.__annotations__)
        result = C_KINDS[kinds.pop("return")]
        types = [C_KINDS.get(kind, ctypes.c_void_p) for kind in kinds.values()]
        COMPILED[name] = list(kinds), ctypes.CFUNCTYPE(result, *types)(KERNELS[name].address())
    return COMPILED[name]


def key_of(seed: int, step: int, stream: int) -> int:
    def mix(h: int) -> int:
        h = ((h ^ (h >> 16)) * 0x7FEB352D) % 2**32
        h = ((h ^ (h >> 15)) * 0x846CA68B) % 2**32
        return h ^ (h >> 16)

    h = mix((seed * 0x9E3779B1 + 1) % 2**32)
    h = mix((h + step * 0x85EBCA6B) % 2**32)
    return mix((h + stream * 0xC2B2AE35) % 2**32)


class Runner:
    """One graph, planned and run over `rows` rows: all in one block."""

    def __init__(self, graph: Graph, rows: int) -> None:
        self.graph, self.rows = graph, rows
        self.constants: dict[tuple[float, ...], str] = {}
        self.weights = {node.name: f"WEIGHT_{n}" for n, node in enumerate(graph.of("weight"))}
        names = frozenset(NAMES._taken)
        outside = Outside(
            self.weights.__getitem__,
            lambda path: False,
            lambda path: f"{self.weights[path]}_PANELS",
            lambda path: f"{self.weights[path]}_TRANSPOSED",
            self._constant,
            MAPS,
            names,
        )
        self.stages = lower_rows(graph, outside, {}, [value for _, value in graph.outputs])

    def _constant(self, values: tuple[float, ...]) -> str:
        return self.constants.setdefault(values, f"CONSTANTS_{len(self.constants)}")

    def run(
        self, data: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], seed: int = 0, step: int = 0
    ) -> dict[str, np.ndarray]:
        """-> the values of the graph's outputs."""
        size = SIZE
        mem = np.full(size, np.nan, np.float32)
        widest = 1 << 14
        mem[:widest], mem[widest : 2 * widest] = 0.0, 1.0
        space: dict[str, Any] = {
            "ZEROS": 0,
            "ONES": widest,
            "LOWEST": float("-inf"),
            "order": 0,
            "first": 0,
            "start": 0,
        }
        space |= {"rows": self.rows, "count": self.rows, "mem": mem}
        space |= {f"key_{stream}": key_of(seed, step, stream) for stream in range(9)}
        at = 2 * widest

        def place(numbers: int) -> int:
            nonlocal at
            assert at + padded(numbers) < SIZE, "more memory"
            at += padded(numbers) + 32
            return at - padded(numbers) - 32

        for path, name in self.weights.items():
            value = np.asarray(weights[path], np.float32)
            layout = last_axis(TensorType("f32", value.shape))
            space[name] = place(layout.row)
            self._lines(mem, space[name], layout.lines, layout.width, layout.step)[:] = value.reshape(layout.lines, -1)
            self._pad(mem, space[name], layout)
            if value.ndim == 2:
                for kind, matrix in (
                    ("PANELS", value),
                    ("TRANSPOSED", np.pad(value.T, ((0, -value.shape[1] % 16), (0, 0)))),
                ):
                    panels = numba_engine.in_panels(matrix)
                    space[f"{name}_{kind}"] = place(len(panels))
                    mem[space[f"{name}_{kind}"] :][: len(panels)] = panels
        for values, name in self.constants.items():
            space[name] = place(len(values))
            mem[space[name] : space[name] + padded(len(values))] = 0.0
            mem[space[name] : space[name] + len(values)] = values
        for buffer in self.stages.buffers.values():
            space[buffer.name] = place(buffer.layout.row * (self.rows if buffer.batched else 1))
        arrays = {}
        for port, name in self.stages.data_names.items():
            node = next(n for n in self.graph if n.op in ("input", "target") and n.attribute("name") == port)
            arrays[name] = np.ascontiguousarray(data[port], POINTERS[node.type.dtype])
            space[name] = arrays[name].ctypes.data
        parts = [self.stages.prepare]
        for rows, close in zip(self.stages.rows, self.stages.close, strict=True):
            parts += [rows, close]
        for part in (*parts, *self.stages.late, self.stages.finish):
            for share, whole in part.partials:
                space[whole.name] = space[share.name]
            for launch in part.launches:
                self._launch(launch, mem, space)
        for buffer in self.stages.buffers.values():
            if buffer.home != "weight":
                self._check_padding(mem, buffer, space)
        return {name: self._value(mem, value, space) for name, value in self.graph.outputs}

    def _launch(self, launch: Launch, mem: np.ndarray, space: Mapping[str, Any]) -> None:
        names, function = callable_kernel(launch.kernel)
        given = {key: eval(text, {}, dict(space)) for key, text in launch.arguments}
        assert {"mem", *given} == set(names), (launch.kernel, names, given)
        function(*(mem.ctypes.data if name == "mem" else given[name] for name in names))

    @staticmethod
    def _lines(mem: np.ndarray, at: int, lines: int, width: int, step: int) -> np.ndarray:
        return np.lib.stride_tricks.as_strided(mem[at:], (lines, width), (4 * step, 4))

    def _pad(self, mem: np.ndarray, at: int, layout: Any) -> None:
        width = layout.width
        self._lines(mem, at + width, layout.lines, padded(width) - width, layout.step)[:] = 0.0

    def _check_padding(self, mem: np.ndarray, buffer: Buffer, space: Mapping[str, Any]) -> None:
        layout, lines = buffer.layout, buffer.layout.lines * (self.rows if buffer.batched else 1)
        rest = padded(layout.width) - layout.width
        padding = self._lines(mem, space[buffer.name] + layout.width, lines, rest, layout.step)
        assert (padding == 0).all() or np.isnan(mem[space[buffer.name]]), f"padding of {buffer.name}"

    def _value(self, mem: np.ndarray, value: str, space: Mapping[str, Any]) -> np.ndarray:
        buffer, node = self.stages.places[value], self.graph[value]
        rows = self.rows if node.type.batched else 1
        layout = buffer.layout
        found = self._lines(mem, space[buffer.name], rows * layout.lines, layout.width, layout.step)
        shape = (rows, *node.type.shape) if node.type.batched else node.type.shape
        return np.array(found).reshape(shape)


def graph_of(ops: list[tuple[str, list[TensorType], dict[str, Any]]]) -> Graph:
    """One graph with an op for each sample, each with operands of its own, which are all outputs."""
    net = Network()
    for number, (op, types, attributes) in enumerate(ops):
        operands = []
        for place, type in enumerate(types):
            name = f"x{number}_{place}"
            kind, settings = ("input", {"name": name}) if type.batched else ("weight", {"trainable": True})
            with net.build.at(line(1), layer=""):
                operands.append(net.build.source(kind, name, type, settings))
        net.output(f"y{number}", net.op(op, *operands, **attributes))
    return net.graph()
