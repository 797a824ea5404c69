"""The register tile of convolutions: four nested sums, where that of dense layers has one."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kdsl.runtime.simd import I64, LANES, PANEL, VREAL, Memory, const, element, fma, read_vec, real, splat, write_vec


def make_window_tile(rows: int, vecs: int) -> Any:
    """An intrinsic: `rows` x `vecs` registers that stay in place over four nested sums, z, y, x and k.

        C[r] = max(start[r] + sum of A[r, z, y, x, k] * B[z, y, x, k], floor) * scale where gate[r] > 0, else 0

    `a_z` leads along A for each step of z, `w_z` along B, and so on; `w_panel` and `c_panel` from 16 columns to the next
    16. Rows from `count` on repeat the last one and are not stored.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, a, a_row, w, w_panel, *sums = args[:18]
        c, c_row, c_panel, start, start_row, floor, gate, gate_row, scale = args[18:]
        zero, one, panel = I64(0), I64(1), I64(PANEL)

        def columns(at: Any, to_next_panel: Any) -> list[Any]:
            places = [(LANES * q // PANEL, LANES * q % PANEL) for q in range(vecs)]
            return [b.add(at, b.add(b.mul(to_next_panel, I64(p)), I64(within))) for p, within in places]

        last = b.sub(count, one)
        row = [zero] + [b.select(b.icmp_signed("<", I64(r), count), I64(r), last) for r in range(1, rows)]
        totals = [[cgutils.alloca_once(b, VREAL) for _ in range(vecs)] for _ in row]
        for r in range(rows):
            for q, place in enumerate(columns(b.add(start, b.mul(start_row, row[r])), panel)):
                b.store(read_vec(b, mem, place), totals[r][q])
        a_rows = [element(b, mem, b.add(a, b.mul(a_row, r))) for r in row]
        w_columns = [element(b, mem, o) for o in columns(w, w_panel)]

        def nested(axes: list[list[Any]], along_a: Any, along_w: Any) -> None:
            if axes:
                (times, a_step, w_step), *inner = axes
                with cgutils.for_range(b, times) as loop:
                    nested(inner, b.add(along_a, b.mul(loop.index, a_step)), b.add(along_w, b.mul(loop.index, w_step)))
                return
            w_now = [read_vec(b, p, along_w) for p in w_columns]
            for r in range(rows):
                x = splat(b, b.load(element(b, a_rows[r], along_a)))
                for q in range(vecs):
                    b.store(fma(b, x, w_now[q], b.load(totals[r][q])), totals[r][q])

        nested([sums[n : n + 3] for n in range(0, 12, 3)], zero, zero)
        end = b.append_basic_block("end")
        low, factor = splat(b, floor), splat(b, scale)
        for r in range(rows):
            if r:
                proceed = b.append_basic_block("row")
                b.cbranch(b.icmp_signed("<", I64(r), count), proceed, end)
                b.position_at_end(proceed)
            gates = columns(b.add(gate, b.mul(gate_row, I64(r))), panel)
            for q, target in enumerate(columns(b.add(c, b.mul(c_row, I64(r))), c_panel)):
                total = b.load(totals[r][q])
                x = b.select(b.fcmp_ordered("<", total, low), low, total)
                opened = b.fcmp_ordered(">", read_vec(b, mem, gates[q]), const(0.0))
                write_vec(b, b.select(opened, b.fmul(x, factor), const(0.0)), mem, target)
        b.branch(end)
        b.position_at_end(end)
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
