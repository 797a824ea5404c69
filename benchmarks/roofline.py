"""The roofline plot: every kernel's speed over the work it does for each byte, below what the machine can do.

    kdsl time models/cifar_cnn.kmodel --output json > times.json
    python benchmarks/roofline.py times.json -o roofline.svg

A point is one call of a kernel in the step, its size the time it takes. The slanted line is what the memory could feed,
as fast as one thread copies; kernels whose numbers lie in a cache are above it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kdsl.timing.chart import style_sheet

WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 760.0, 440.0, 70.0, 30.0, 64.0, 56.0
LEAST = 0.001  # of the step: shorter calls are left out


def roofline(timings: Sequence[dict[str, Any]], title: str) -> str:
    """SVG of the calls of one or several results of `kdsl time`, all of one machine and number of threads."""
    machine, threads = timings[0]["machine"], timings[0]["threads"]
    peak = machine["flops_per_second_of_each_thread"] * threads / 1e9
    copied = machine["bytes_per_second_copied"] / 1e9
    points = [point for timing in timings for point in points_of(timing)]
    x_range = decades([point["x"] for point in points] + [peak / copied])
    y_range = decades([point["y"] for point in points] + [peak])

    def x(value: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * along(value, x_range)

    def y(value: float) -> float:
        return HIGH - BOTTOM - (HIGH - BOTTOM - TOP) * along(value, y_range)

    knee, lowest = peak / copied, max(x_range[0], y_range[0] / copied)
    roof = f"{x(lowest):.1f},{y(lowest * copied):.1f} {x(knee):.1f},{y(peak):.1f} {x(x_range[1]):.1f},{y(peak):.1f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:.0f} {HIGH:.0f}" width="{WIDE:.0f}" '
        f'height="{HIGH:.0f}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(title)}</title>',
        f"<style>{style_sheet()}</style>",
        f'<rect class="page" width="{WIDE:.0f}" height="{HIGH:.0f}"/>',
        f'<text class="heading" x="20" y="34">{escape(title)}</text>',
        *grid(x_range, y_range, x, y),
        f'<polyline class="roof" points="{roof}"/>',
        f'<text class="soft" x="{WIDE - RIGHT:.0f}" y="{y(peak) - 6:.1f}" text-anchor="end">{peak:.0f} GFLOP/s</text>',
    ]
    for point in sorted(points, key=lambda point: -point["share"]):
        radius = 3 + 14 * math.sqrt(point["share"])
        lines.append(
            f'<circle class="{point["direction"]}" fill-opacity=".75" cx="{x(point["x"]):.1f}" cy="{y(point["y"]):.1f}" '
            f'r="{radius:.1f}"><title>{escape(point["tip"])}</title></circle>'
        )
    return "\n".join([*lines, "</svg>", ""])


def points_of(timing: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for call in timing["calls"]:
        share = call["seconds"] / timing["step_seconds"]
        if call["flops"] and call["bytes"] and share >= LEAST:
            speed = call["flops"] / call["seconds"] / 1e9
            tip = f"{timing['model']}: {call['layer']} {call['direction']}, {call['kernel']}\n{speed:.1f} GFLOP/s"
            work = call["flops"] / call["bytes"]
            yield {"x": work, "y": speed, "share": share, "direction": call["direction"], "tip": tip}


def decades(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values) * 1.05))
    return 10.0**low, 10.0 ** max(high, low + 1)


def along(value: float, span: tuple[float, float]) -> float:
    low, high = math.log10(span[0]), math.log10(span[1])
    return (math.log10(value) - low) / (high - low)


def grid(x_range: tuple[float, float], y_range: tuple[float, float], x: Any, y: Any) -> Iterator[str]:
    value = x_range[0]
    while value <= x_range[1] * 1.01:
        yield f'<path class="grid" d="M{x(value):.1f} {TOP:.0f}V{HIGH - BOTTOM:.0f}"/>'
        yield f'<text class="soft" x="{x(value):.1f}" y="{HIGH - BOTTOM + 16:.0f}" text-anchor="middle">{value:g}</text>'
        value *= 10
    value = y_range[0]
    while value <= y_range[1] * 1.01:
        yield f'<path class="grid" d="M{LEFT:.0f} {y(value):.1f}H{WIDE - RIGHT:.0f}"/>'
        yield f'<text class="soft" x="{LEFT - 8:.0f}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        value *= 10
    yield f'<text class="soft" x="{WIDE - RIGHT:.0f}" y="{HIGH - 16:.0f}" text-anchor="end">operations for each byte</text>'
    yield f'<text class="soft" x="20" y="{TOP - 10:.0f}">GFLOP/s</text>'


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", nargs="+", type=Path, help="what `kdsl time --output json` printed")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the SVG goes")
    options = parser.parse_args(arguments)
    timings = [json.loads(path.read_text()) for path in options.times]
    options.output.write_text(roofline(timings, ", ".join(timing["model"] for timing in timings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
