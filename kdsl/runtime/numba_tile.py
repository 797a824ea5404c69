"""The register tile of matrix products: what stays in registers while the reduction runs past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba import types
from numba.extending import intrinsic

from kdsl.runtime.simd import I64, LANES, PANEL, VREAL, Memory, const, element, fma, read_vec, real, splat, write_vec


def columns_at(b: Any, vecs: int, at: Any, to_next_panel: Any) -> list[Any]:
    """The places of a tile's registers in one row that begins at `at`."""
    places = [(LANES * q // PANEL, LANES * q % PANEL) for q in range(vecs)]
    return [b.add(at, b.add(b.mul(to_next_panel, I64(p)), I64(within))) for p, within in places]


def write_rows(
    b: Any, mem: Any, count: Any, totals: Sequence[Sequence[Any]], c: Any, c_row: Any, c_panel: Any, *epilogue: Any
) -> None:
    """Stores the first `count` rows of a tile. With the epilogue (floor, gate, gate_row, scale):
    max(total, floor) * scale where the gate is greater than 0, else 0."""
    end, vecs = b.append_basic_block("end"), len(totals[0])
    floor, gate, gate_row, scale = epilogue or (None,) * 4
    low, factor = (splat(b, floor), splat(b, scale)) if epilogue else (None, None)
    for r, row in enumerate(totals):
        if r:
            proceed = b.append_basic_block("row")
            b.cbranch(b.icmp_signed("<", I64(r), count), proceed, end)
            b.position_at_end(proceed)
        targets = columns_at(b, vecs, b.add(c, b.mul(c_row, I64(r))), c_panel)
        finished = list(row)
        if epilogue:
            gates = columns_at(b, vecs, b.add(gate, b.mul(gate_row, I64(r))), I64(PANEL))
            for q, total in enumerate(row):
                x = b.select(b.fcmp_ordered("<", total, low), low, total)
                opened = b.fcmp_ordered(">", read_vec(b, mem, gates[q]), const(0.0))
                finished[q] = b.select(opened, b.fmul(x, factor), const(0.0))
        for x, target in zip(finished, targets, strict=True):
            write_vec(b, x, mem, target)
    b.branch(end)
    b.position_at_end(end)


def make_tile(rows: int, vecs: int, plain: bool = False) -> Any:
    """An intrinsic: `rows` x `vecs` registers that stay in place over the whole reduction.

            k ->               . . B . .       one row of B: vecs registers
                               . . . . .
        A   a a a a a a        C C C C C       C[r] = sum over k of A[r, k] * B[k], rows of C in registers
            a a a a a a        C C C C C

        C[r] = max(start[r] + A[r] @ B, floor) * scale where gate[r] > 0, else 0

    `x_row` leads from row to row, `x_step` along the reduction, `x_panel` from 16 columns to the next 16. Rows from
    `count` on repeat the last one and are not stored. rows * vecs + vecs + 1 registers are alive in the loop. A `plain`
    tile is C[r] = A[r] @ B.
    """

    def generate(ctx: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, count, a, a_row, a_step, w, w_step, w_panel, c, c_row, c_panel, depth, *epilogue = args
        zero, one, panel = I64(0), I64(1), I64(PANEL)

        def row_at(at: Any, to_next_row: Any, r: Any) -> Any:
            return b.add(at, b.mul(to_next_row, r))

        last = b.sub(count, one)
        row = [zero] + [b.select(b.icmp_signed("<", I64(r), count), I64(r), last) for r in range(1, rows)]
        first = [[const(0.0)] * vecs for r in row]
        if epilogue:
            start, start_row = epilogue[:2]
            first = [
                [read_vec(b, mem, o) for o in columns_at(b, vecs, row_at(start, start_row, r), panel)] for r in row
            ]
        a_rows = [element(b, mem, row_at(a, a_row, r)) for r in row]
        w_columns = [element(b, mem, o) for o in columns_at(b, vecs, w, w_panel)]
        before, loop, done = b.block, b.append_basic_block("loop"), b.append_basic_block("done")
        b.branch(loop)

        b.position_at_end(loop)
        k = b.phi(I64)
        total = [[b.phi(VREAL) for _ in range(vecs)] for _ in row]
        along_a, along_w = b.mul(k, a_step), b.mul(k, w_step)
        w_now = [read_vec(b, p, along_w) for p in w_columns]
        new = []
        for r in range(rows):
            x = splat(b, b.load(element(b, a_rows[r], along_a)))
            new.append([fma(b, x, w_now[q], total[r][q]) for q in range(vecs)])
        following = b.add(k, one)
        b.cbranch(b.icmp_signed("<", following, depth), loop, done)
        k.add_incoming(zero, before)
        k.add_incoming(following, loop)
        for r in range(rows):
            for q in range(vecs):
                total[r][q].add_incoming(first[r][q], before)
                total[r][q].add_incoming(new[r][q], loop)

        b.position_at_end(done)
        write_rows(b, mem, count, new, c, c_row, c_panel, *(epilogue[2:]))
        return ctx.get_dummy_value()

    i = types.int64

    @intrinsic
    def tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        w: Any,
        w_step: Any,
        w_panel: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        depth: Any,
        start: Any,
        start_row: Any,
        floor: Any,
        gate: Any,
        gate_row: Any,
        scale: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 13, real, i, i, real), generate

    @intrinsic
    def plain_tile(
        typingctx: Any,
        mem: Any,
        count: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        w: Any,
        w_step: Any,
        w_panel: Any,
        c: Any,
        c_row: Any,
        c_panel: Any,
        depth: Any,
    ) -> Any:
        return types.void(Memory, *[i] * 11), generate

    return plain_tile if plain else tile
