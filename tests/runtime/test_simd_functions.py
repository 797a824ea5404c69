"""Functions over registers in single precision, against NumPy in double precision: a few units in the last place, and
the same answers at zeros, infinities and NaN."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from kdsl.ops import vocabulary
from kdsl.runtime import numba_kernel
from kdsl.runtime.numba_kernel import KERNELS, kernel
from kdsl.runtime.simd import LANES, Memory
from kdsl.runtime.simd_functions import ceil, floor, round_half_even, sqrt
from kdsl.runtime.simd_memory import load, load_apart, load_chosen, place_in, store, store_head
from kdsl.runtime.simd_random import random_normal, random_uniform
from kdsl.runtime.simd_wide import cos, power, sin

EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, -2.0, 2.5, 3.0, -3.0, 1e-40, 1e30, -1e30]


@pytest.fixture(autouse=True)
def _compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """numba's cache looks at this file only, not at the functions that the kernels here call."""
    monkeypatch.setattr(numba_kernel, "CACHED", [False])


@kernel
def functions_of_one(mem: Memory, count: int, x: int, out: int, step: int) -> None:
    for c in range(0, count, LANES):
        x_ = load(mem, x + c)
        store(mem, out + c, floor(x_))
        store(mem, out + step + c, ceil(x_))
        store(mem, out + 2 * step + c, round_half_even(x_))
        store(mem, out + 3 * step + c, sqrt(x_))
        store(mem, out + 4 * step + c, sin(x_))
        store(mem, out + 5 * step + c, cos(x_))


@kernel
def powers(mem: Memory, count: int, x: int, y: int, out: int) -> None:
    for c in range(0, count, LANES):
        store(mem, out + c, power(load(mem, x + c), load(mem, y + c)))


@kernel
def random_numbers(mem: Memory, count: int, key: int, out: int, other: int) -> None:
    for c in range(0, count, LANES):
        store(mem, out + c, random_uniform(key, 5 + c))
        store(mem, other + c, random_normal(key, 5 + c))


@kernel
def memory_functions(mem: Memory, x: int, chosen: int, out: int, count: int) -> None:
    store(mem, out, load_apart(mem, x, 3, count))
    store(mem, out + 16, load_chosen(mem, x, load(mem, chosen), 40, 2, count))
    store_head(mem, out + 32, load(mem, x), count)
    for i in range(16):
        mem[out + 48 + i] = place_in(mem[chosen + i], 40)


def launch(name: str, mem: np.ndarray, *arguments: int) -> None:
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * len(arguments))
    kind(KERNELS[name].address())(mem.ctypes.data, *arguments)


def assert_close(found: np.ndarray, wanted: np.ndarray, ulps: float) -> None:
    """`wanted` in double precision."""
    with np.errstate(all="ignore"):
        rounded = wanted.astype(np.float32)
        special = ~np.isfinite(rounded) | (rounded == 0)
        np.testing.assert_array_equal(found[special], rounded[special])
        signed = special & ~np.isnan(rounded)
        np.testing.assert_array_equal(np.signbit(found[signed]), np.signbit(rounded[signed]))
        error = np.abs(found[~special] - wanted[~special]) / np.spacing(np.abs(rounded[~special]))
    assert error.max() <= ulps


def test_functions_of_one_number() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([EDGES, rng.normal(0, 3, 900), rng.uniform(-1e5, 1e5, 100), np.arange(-3, 3) * np.pi / 2])
    x = np.resize(x, 1024).astype(np.float32)
    mem = np.concatenate([x, np.zeros(6 * 1024, np.float32)])
    launch("functions_of_one", mem, 1024, 0, 1024, 1024)
    with np.errstate(all="ignore"):
        for number, (function, ulps) in enumerate(
            [(np.floor, 0), (np.ceil, 0), (np.rint, 0), (np.sqrt, 0.5), (np.sin, 1), (np.cos, 1)]
        ):
            known = ~((np.abs(x) > 1e6) & np.isfinite(x)) | (
                number < 4
            )  # sines of such numbers mean nothing: only bounds hold
            found = mem[1024 * (number + 1) :][:1024]
            assert_close(found[known], function(x.astype(np.float64))[known], ulps)
            assert number < 4 or np.nanmax(np.abs(found)) <= 1


def test_powers() -> None:
    rng = np.random.default_rng(1)
    first = [a for a in EDGES for _ in EDGES]
    second = EDGES * len(EDGES)
    x = np.concatenate([first, rng.lognormal(0, 3, 400), -rng.lognormal(0, 1, 200)])
    y = np.concatenate([second, rng.normal(0, 4, 400), rng.integers(-9, 9, 200)])
    count = -(-len(x) // 16) * 16
    x, y = np.resize(x, count).astype(np.float32), np.resize(y, count).astype(np.float32)
    mem = np.concatenate([x, y, np.zeros(count, np.float32)])
    launch("powers", mem, count, 0, count, 2 * count)
    with np.errstate(all="ignore"):
        assert_close(mem[2 * count :], np.power(x.astype(np.float64), y.astype(np.float64)), 1)


def mixed(h: np.ndarray) -> np.ndarray:
    h = h.astype(np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return np.asarray(h ^ (h >> np.uint32(16)))


def test_random_numbers_are_those_of_the_hash() -> None:
    key = 0x9ABCDEF1
    mem = np.zeros(8192, np.float32)
    launch("random_numbers", mem, 4096, key, 0, 4096)
    i = np.arange(5, 4101, dtype=np.uint32)
    u1, u2 = (
        (mixed(((np.uint32(2) * i + np.uint32(k)) * np.uint32(0x9E3779B1)) ^ np.uint32(key)) >> np.uint32(8)) * 2.0**-24
        for k in (0, 1)
    )
    np.testing.assert_array_equal(mem[:4096], u1)
    np.testing.assert_allclose(mem[4096:], np.sqrt(-2 * np.log(1 - u1)) * np.cos(2 * np.pi * u2), rtol=0, atol=3e-6)
    assert abs(mem[4096:].mean()) < 0.05
    assert abs(mem[4096:].std() - 1) < 0.05


@pytest.mark.parametrize("count", [1, 5, 16, 40])
def test_loads_and_stores_of_a_part(count: int) -> None:
    """Only what lies within `count` is read and written."""
    lanes = min(LANES, 16)
    mem = np.full(512, 7.0, np.float32)
    mem[:128] = np.arange(128)
    chosen = np.resize([3.0, 39.0, 40.0, 1e20, -4.0, np.nan, 0.0], 16)
    mem[128:144] = chosen
    launch("memory_functions", mem, 0, 128, 256, count)
    lane = np.minimum(np.arange(lanes), count - 1)
    place = np.clip(np.nan_to_num(chosen, posinf=39), 0, 39)
    np.testing.assert_array_equal(mem[256 : 256 + lanes], 3 * lane)
    np.testing.assert_array_equal(mem[272 : 272 + lanes], 2 * place[lane])
    np.testing.assert_array_equal(mem[288 : 288 + lanes], np.where(np.arange(lanes) < count, np.arange(lanes), 7.0))
    np.testing.assert_array_equal(mem[304:320], place)


def test_the_vocabulary_has_its_functions_over_registers() -> None:
    from kdsl.runtime import simd_functions, simd_wide

    missing = [f.__name__ for f in vocabulary.VOCABULARY if not hasattr(simd_functions, f.__name__)]
    assert [name for name in missing if not hasattr(simd_wide, name)] == []
