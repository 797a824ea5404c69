"""Registers and memory: loads, stores, data of any dtype, and a block's transpose."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.simd import (
    BITS,
    I32,
    I64,
    LANES,
    V32,
    VBIT,
    VREAL,
    const,
    element,
    read_vec,
    real,
    splat,
    vec,
    write_vec,
)


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
def store_head(typingctx: Any, mem: Any, at: Any, x: Any, count: Any) -> Any:
    """The first `count` lanes to mem[at] on; what lies behind them stays."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, at, x, count = args
        lanes = ir.Constant(V32, list(range(LANES)))
        within = b.icmp_signed("<", lanes, splat(b, b.trunc(count, I32)))
        pointer = b.bitcast(element(b, mem, at), VREAL.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [VREAL, VREAL.as_pointer(), I32, VBIT])
        name = f"llvm.masked.store.v{LANES}f{BITS}.p0"
        b.call(cgutils.get_or_insert_function(b.module, kind, name), [x, pointer, I32(BITS // 8), within])
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(mem, i, vec, i), generate


def gathered(b: Any, mem: Any, places: list[Any]) -> Any:
    """The numbers at these places, one in each lane."""
    r = ir.Constant(VREAL, ir.Undefined)
    for lane, at in enumerate(places):
        r = b.insert_element(r, b.load(element(b, mem, at)), I32(lane))
    return r


def lane_within(b: Any, lane: int, count: Any) -> Any:
    """The lane, or the last one of `count`."""
    return b.select(b.icmp_signed("<", I64(lane), count), I64(lane), b.sub(count, I64(1)))


@intrinsic
def load_apart(typingctx: Any, mem: Any, at: Any, step: Any, count: Any) -> Any:
    """Up to LANES of `count` numbers that lie `step` apart, from mem[at] on; lanes behind them repeat the last one."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, at, step, count = args
        return gathered(b, mem, [b.add(at, b.mul(step, lane_within(b, n, count))) for n in range(LANES)])

    i = types.int64
    return vec(mem, i, i, i), generate


def clamped_place(b: Any, x: Any, limit: Any) -> Any:
    """The number x as a place: a whole number from 0 to limit - 1."""
    last = b.sitofp(b.sub(limit, I64(1)), x.type)
    low = b.select(b.fcmp_ordered(">", x, ir.Constant(x.type, 0.0)), x, ir.Constant(x.type, 0.0))
    return b.fptosi(b.select(b.fcmp_ordered("<", low, last), low, last), I64)


@intrinsic
def place_in(typingctx: Any, x: Any, limit: Any) -> Any:
    """The number x as a place of an axis that is `limit` long; what lies outside becomes the nearest end."""
    return types.int64(real, types.int64), lambda ctx, b, sig, args: clamped_place(b, *args)


@intrinsic
def load_chosen(typingctx: Any, mem: Any, at: Any, chosen: Any, limit: Any, step: Any, count: Any) -> Any:
    """Lane i: mem[at + chosen[i] * step], for the first `count` lanes; the others repeat the last one."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, at, chosen, limit, step, count = args
        places = []
        for lane in range(LANES):
            x = b.extract_element(chosen, b.trunc(lane_within(b, lane, count), I32))
            places.append(b.add(at, b.mul(step, clamped_place(b, x, limit))))
        return gathered(b, mem, places)

    i = types.int64
    return vec(mem, i, vec, i, i, i), generate


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
def prefetch(typingctx: Any, address: Any) -> Any:
    """Brings the bytes around an address into the cache, if there are any; never fails."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, I32, I32, I32])
        f = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        b.call(f, [b.inttoptr(args[0], pointer), I32(0), I32(2), I32(1)])  # to read, into the second cache, data
        return ctx.get_dummy_value()

    return types.void(types.int64), generate


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


def exchanged(b: Any, mem: Any, count: Any, source: Any, source_row: Any) -> list[Any]:
    """The columns of LANES rows of LANES numbers; rows from `count` on are taken to be zeros.

    Eklundh's way: pairs of rows exchange ever larger halves."""
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
    return rows


@intrinsic
def transpose_block(
    typingctx: Any, mem: Any, count: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """A block of LANES x LANES numbers, rows and columns exchanged; rows from `count` on are taken to be zeros."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, source, source_row, target, target_row = args
        for i, row in enumerate(exchanged(b, mem, count, source, source_row)):
            write_vec(b, row, mem, b.add(target, b.mul(target_row, I64(i))))
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(mem, i, i, i, i, i), generate


@intrinsic
def transpose_part(
    typingctx: Any, mem: Any, count: Any, columns: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """As `transpose_block`; of the columns only the first `columns` are written."""

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, columns, source, source_row, target, target_row = args
        rows = exchanged(b, mem, count, source, source_row)
        for i in reversed(range(LANES)):  # what there is no column for goes where the last one will
            write_vec(b, rows[i], mem, b.add(target, b.mul(target_row, lane_within(b, i, columns))))
        return ctx.get_dummy_value()

    i = types.int64
    return types.void(mem, i, i, i, i, i, i), generate
