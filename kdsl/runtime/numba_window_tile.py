"""The register tile of convolutions: four nested sums, where that of dense layers has one."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.numba_tile import columns_at, write_rows
from kdsl.runtime.simd import I64, PANEL, VREAL, Memory, element, fma, read_vec, real, splat


def hidden(b: Any, x: Any) -> Any:
    """`x`, but LLVM does not see how it was made: it counts the addresses of rows from `x`, and does not lead each along."""
    return b.asm(ir.FunctionType(x.type, [x.type]), "", "=r,0", [x], side_effect=False)


def make_window_tile(rows: int, vecs: int) -> Any:
    """An intrinsic: `rows` x `vecs` registers that stay in place over four nested sums, z, y, x and k.

        C[r] = max(start[r] + sum of A[r, z, y, x, k] * B[z, y, x, k], floor) * scale where gate[r] > 0, else 0

    `a_z` leads along A for each step of z, `w_z` along B, and so on; `w_panel` and `c_panel` from 16 columns to the next
    16. Rows from `count` on repeat the last one and are not stored.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, a, a_row, w, w_panel, *sums = args[:18]
        c, c_row, c_panel, start, start_row, *epilogue = args[18:]
        zero, one = I64(0), I64(1)

        last = b.sub(count, one)
        row = [zero] + [b.select(b.icmp_signed("<", I64(r), count), I64(r), last) for r in range(1, rows)]
        totals = [[cgutils.alloca_once(b, VREAL) for _ in range(vecs)] for _ in row]
        for r in range(rows):
            for q, place in enumerate(columns_at(b, vecs, b.add(start, b.mul(start_row, row[r])), I64(PANEL))):
                b.store(read_vec(b, mem, place), totals[r][q])
        to_row = [b.mul(a_row, r) for r in row]
        to_columns = columns_at(b, vecs, zero, w_panel)

        def nested(axes: list[Any], along_a: Any, along_w: Any) -> None:
            """A loop for each axis, from the outermost on; every one is run through at least once."""
            if not axes:
                w_now = [read_vec(b, along_w, o) for o in to_columns]
                for r in range(rows):
                    x = splat(b, b.load(element(b, along_a, to_row[r])))
                    for q in range(vecs):
                        b.store(fma(b, x, w_now[q], b.load(totals[r][q])), totals[r][q])
                return
            times, a_step, w_step, *inner = axes
            before, loop, behind = b.block, b.append_basic_block("loop"), b.append_basic_block("behind")
            b.branch(loop)
            b.position_at_end(loop)
            begin = times, along_a, along_w
            now = [b.phi(x.type) for x in begin]
            left, at_a, at_w = now if inner else (now[0], hidden(b, now[1]), hidden(b, now[2]))
            nested(inner, at_a, at_w)
            following = b.sub(left, one), element(b, at_a, a_step), element(b, at_w, w_step)
            b.cbranch(b.icmp_signed("!=", following[0], zero), loop, behind)
            for place, first, next in zip(now, begin, following, strict=True):
                place.add_incoming(first, before)
                place.add_incoming(next, b.block)
            b.position_at_end(behind)

        something = b.icmp_signed(">", sums[0], zero)
        for times in sums[3::3]:
            something = b.and_(something, b.icmp_signed(">", times, zero))
        with b.if_then(something):
            nested(sums, element(b, mem, a), element(b, mem, w))
        found = [[b.load(total) for total in line] for line in totals]
        write_rows(b, mem, count, found, c, c_row, c_panel, *epilogue)
        return ctx.get_dummy_value()

    i = types.int64

    @intrinsic
    def window_tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        w: Any,
        w_panel: Any,
        times_z: Any,
        a_z: Any,
        w_z: Any,
        times_y: Any,
        a_y: Any,
        w_y: Any,
        times_x: Any,
        a_x: Any,
        w_x: Any,
        times_k: Any,
        a_k: Any,
        w_k: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        start: Any,
        start_row: Any,
        floor: Any,
        gate: Any,
        gate_row: Any,
        scale: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 22, real, i, i, real), generate

    return window_tile
