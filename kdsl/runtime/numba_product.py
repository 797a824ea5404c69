"""Products of matrices that are both computed, by the register tile of dense layers."""

from __future__ import annotations

from kdsl.runtime.numba_dense import LOWEST, PAIR, SINGLE, TILE_ROWS, TWO_PANELS, pair_tile, single_tile
from kdsl.runtime.numba_kernel import kernel
from kdsl.runtime.simd import PANEL, Memory


@kernel
def product(
    mem: Memory,
    height: int,
    depth: int,
    width: int,
    x: int,
    x_line: int,
    x_step: int,
    y: int,
    y_step: int,
    start: int,
    start_line: int,
    out: int,
    out_line: int,
    ones: int,
) -> None:
    """out = start + x @ y, of matrices that lie anywhere in lines.     [height, depth] @ [depth, width]"""
    whole = width // PAIR * PAIR
    for j in range(0, whole, PAIR):
        for i in range(0, height, TILE_ROWS):
            pair_tile(
                mem,
                count=min(TILE_ROWS, height - i),
                a=x + i * x_line,
                a_row=x_line,
                a_step=x_step,
                w=y + j,
                w_step=y_step,
                w_panel=PANEL,
                c=out + i * out_line + j,
                c_row=out_line,
                c_panel=PANEL,
                depth=depth,
                start=start + i * start_line + j,
                start_row=start_line,
                floor=LOWEST,
                gate=ones,
                gate_row=0,
                scale=1.0,
            )
    if TWO_PANELS:
        for j in range(whole, width, SINGLE):
            for i in range(0, height, TILE_ROWS):
                single_tile(
                    mem,
                    count=min(TILE_ROWS, height - i),
                    a=x + i * x_line,
                    a_row=x_line,
                    a_step=x_step,
                    w=y + j,
                    w_step=y_step,
                    w_panel=0,
                    c=out + i * out_line + j,
                    c_row=out_line,
                    c_panel=0,
                    depth=depth,
                    start=start + i * start_line + j,
                    start_row=start_line,
                    floor=LOWEST,
                    gate=ones,
                    gate_row=0,
                    scale=1.0,
                )
