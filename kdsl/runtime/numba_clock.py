"""What `kdsl time` adds to a module: a clock that is read in a few nanoseconds, and the most that the machine can multiply."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.numba_kernel import Longs, kernel, memory_at
from kdsl.runtime.simd import LANES, VREAL, const, fma, write_vec

CHAINS = 12  # of multiply-adds at a time: enough to hide how long one takes, few enough for 16 registers
WORK_OF_TURN = CHAINS * LANES * 2  # floating-point operations


@intrinsic
def read_clock(typingctx: Any) -> Any:
    """Ticks of a counter that runs evenly; always 0 where the processor lets no program read one."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [])
        if llvm.get_process_triple().startswith("x86_64"):
            return b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.readcyclecounter"), [])
        if llvm.get_process_triple().startswith(("aarch64", "arm64")):
            return b.asm(kind, "mrs $0, cntvct_el0", "=r", [], True)
        return ir.Constant(ir.IntType(64), 0)

    return types.int64(), generate


@kernel
def note_time(clocks: Longs, place: int, start: int) -> None:
    """One more call, which began at `start` and ends now."""
    clocks[place] += read_clock() - start
    clocks[place + 1] += 1


@intrinsic
def multiply_and_add(typingctx: Any, mem: Any, at: Any, turns: Any) -> Any:
    """`turns` times CHAINS registers `x * y + z`, which never leave the processor; their sum is stored at the end."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        chains = [cgutils.alloca_once_value(b, const(float(number))) for number in range(CHAINS)]
        with cgutils.for_range(b, args[2]):
            for chain in chains:
                b.store(fma(b, b.load(chain), const(0.5), const(1.0)), chain)
        total = const(0.0)
        for chain in chains:
            total = b.fadd(total, b.load(chain))
        write_vec(b, total, args[0], args[1])
        return ctx.get_dummy_value()

    assert VREAL.count == LANES
    return types.void(mem, types.int64, types.int64), generate


@kernel
def busiest(job: Longs, me: int) -> None:
    """job[1] turns of nothing but multiply-adds; the sums go to job[0] and the `me`-th register behind it."""
    multiply_and_add(memory_at(job[0]), me * LANES, job[1])


@kernel
def tell_time(job: Longs, me: int) -> None:
    job[0] = read_clock()
