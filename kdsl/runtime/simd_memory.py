"""Registers and memory: loads, stores, data of any dtype, and a block's transpose."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.simd import I32, I64, LANES, V32, VREAL, const, element, read_vec, vec, write_vec


@intrinsic
def load(typingctx: Any, mem: Any, at: Any) -> Any:
    """LANES numbers from mem[at] on."""
    return vec(mem, types.int64), lambda ctx, b, sig, args: read_vec(b, *args)


@intrinsic
def store(typingctx: Any, mem: Any, at: Any, x: Any) -> Any:
    """LANES numbers to mem[at] on."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        write_vec(b, args[2], args[0], args[1])
        return ctx.get_dummy_value()

    return types.void(mem, types.int64, vec), generate


@intrinsic
def row_at(typingctx: Any, order: Any, at: Any) -> Any:
    """The data's row number `at`: order[at], or `at` itself where the order's address is 0."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        order, at = args
        listed = b.icmp_signed("!=", order, I64(0))
        result = cgutils.alloca_once_value(b, at)
        with b.if_then(listed):
            b.store(b.load(element(b, b.inttoptr(order, I64.as_pointer()), at)), result)
        return b.load(result)

    i = types.int64
    return i(i, i), generate


@intrinsic
def fetch(typingctx: Any, data: Any, at: Any, count: Any) -> Any:
    """Up to LANES of `count` numbers of any dtype from data[at] on, as reals; lanes behind them repeat the last one."""
    kind = data.dtype

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        pointer, at, count = args
        item = ctx.get_value_type(kind)
        whole = ir.VectorType(item, LANES)
        result = cgutils.alloca_once(b, whole)
        with b.if_else(b.icmp_signed(">=", count, I64(LANES))) as (many, few):
            with many:
                r = b.load(b.bitcast(element(b, pointer, at), whole.as_pointer()))
                r.align = 1
                b.store(r, result)
            with few:
                last = b.sub(count, I64(1))
                r = ir.Constant(whole, ir.Undefined)
                for i in range(LANES):
                    lane = b.select(b.icmp_signed("<", I64(i), count), I64(i), last)
                    r = b.insert_element(r, b.load(element(b, pointer, b.add(at, lane))), I32(i))
                b.store(r, result)
        r = b.load(result)
        if isinstance(kind, types.Integer):
            return (b.sitofp if kind.signed else b.uitofp)(r, VREAL)
        return r

    return vec(data, types.int64, types.int64), generate


@intrinsic
def transpose_block(
    typingctx: Any, mem: Any, count: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """A block of LANES x LANES numbers, rows and columns exchanged; rows from `count` on are taken to be zeros.

    Eklundh's way: pairs of rows exchange ever larger halves."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, source, source_row, target, target_row = args
        rows = []
        for i in range(LANES):
            there = b.icmp_signed("<", I64(i), count)
            row = read_vec(b, mem, b.add(source, b.mul(source_row, b.select(there, I64(i), I64(0)))))
            rows.append(b.select(there, row, const(0.0)))
        step = 1
        while step < LANES:
            low = ir.Constant(V32, [LANES + (i ^ step) if i & step else i for i in range(LANES)])
            high = ir.Constant(V32, [LANES + i if i & step else i ^ step for i in range(LANES)])
            for i in range(LANES):
                if not i & step:
                    x, y = rows[i], rows[i | step]
                    rows[i], rows[i | step] = b.shuffle_vector(x, y, low), b.shuffle_vector(x, y, high)
            step *= 2
        for i, row in enumerate(rows):
            write_vec(b, row, mem, b.add(target, b.mul(target_row, I64(i))))
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(mem, i, i, i, i, i), generate
