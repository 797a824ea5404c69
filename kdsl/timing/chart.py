"""A picture of a timing: one bar for each layer, its length the time, its parts forward, backward and update."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from kdsl.draw.palette import COLOURS, DARK, LIGHT
from kdsl.draw.sizes import FONT, MARGIN, SMALL
from kdsl.draw.text import cut, printable, width
from kdsl.timing.report import duration, heading, percent
from kdsl.timing.result import DIRECTIONS, Group, Timing, by_layer

ROW, BAR = 24.0, 14.0  # height of a line, and of the bar in it
LONGEST = 420.0
SHARE = 56.0  # the column behind the bars
KINDS = {"forward": "weights", "backward": "loss", "update": "norm"}  # direction -> the palette's colour


def chart(timing: Timing) -> str:
    """SVG, for light pages and dark ones."""
    groups = by_layer(timing)
    names = [cut(printable(group.name), 60) for group in groups]
    left = MARGIN + max(width(name, FONT) for name in [*names, "between them"]) + 12
    title = f"{timing.model}: {heading(timing)}, {duration(timing.step)}"
    wide = max(left + LONGEST + 70 + SHARE + MARGIN, width(title, 18, bold=True) + 2 * MARGIN)
    high = 84 + ROW * (len(groups) + 1) + MARGIN
    between = max(0.0, timing.step - timing.kernels)
    scale = LONGEST / max([between, *(group.total for group in groups)])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" '
        f'height="{high:.0f}" role="img" aria-labelledby="title">',
        f'<title id="title">{_text(title)}</title>',
        f"<style>{style_sheet()}</style>",
        f'<rect class="page" width="{wide:.0f}" height="{high:.0f}"/>',
        f'<text class="heading" x="{MARGIN:.0f}" y="34">{_text(title)}</text>',
        *_legend(wide),
    ]
    top = 74.0
    for name, group in zip(names, groups, strict=True):
        lines += _bar(name, group, left, top, scale, wide)
        top += ROW
    lines += [
        f'<text class="soft" x="{left - 12:.1f}" y="{top + 11:.1f}" text-anchor="end">between them</text>',
        f'<rect class="rest" x="{left:.1f}" y="{top:.1f}" width="{between * scale:.1f}" height="{BAR:.0f}"/>',
        f'<text class="soft" x="{left + between * scale + 6:.1f}" y="{top + 11:.1f}">{duration(between)}</text>',
    ]
    return "\n".join([*lines, "</svg>", ""])


def _bar(name: str, group: Group, left: float, top: float, scale: float, wide: float) -> Iterator[str]:
    shown = [
        f"{direction} {duration(group.seconds[direction])}" for direction in DIRECTIONS if group.seconds[direction]
    ]
    tip = "\n".join([f"{group.name}  {group.text}".rstrip(), group.place, *shown])
    yield f"<g><title>{_text(tip)}</title>"
    yield f'<text x="{left - 12:.1f}" y="{top + 11:.1f}" text-anchor="end">{_text(name)}</text>'
    at = left
    for direction in DIRECTIONS:
        long = group.seconds[direction] * scale
        if long:
            yield f'<rect class="{direction}" x="{at:.1f}" y="{top:.1f}" width="{long:.1f}" height="{BAR:.0f}"/>'
        at += long
    yield f'<text class="soft" x="{at + 6:.1f}" y="{top + 11:.1f}">{duration(group.total)}</text>'
    yield f'<text class="soft" x="{wide - MARGIN:.1f}" y="{top + 11:.1f}" text-anchor="end">{percent(group.share)}</text></g>'


def _legend(wide: float) -> Iterator[str]:
    at = MARGIN
    for direction in DIRECTIONS:
        yield f'<rect class="{direction}" x="{at:.0f}" y="46" width="10" height="10" rx="2"/>'
        yield f'<text class="soft" x="{at + 15:.0f}" y="55">{direction}</text>'
        at += 30 + width(direction, FONT)
    yield f'<text class="soft" x="{wide - MARGIN:.0f}" y="55" text-anchor="end">of peak</text>'


def style_sheet() -> str:
    shapes = f'text{{font:{SMALL + 1:.0f}px "Helvetica Neue",Helvetica,Arial,sans-serif}}\n.heading{{font-size:18px;font-weight:700}}\n'
    dark = f"@media (prefers-color-scheme:dark){{\n{_colours(DARK, 1)}}}\n"
    return f"\n{shapes}{_colours(LIGHT, 0)}{dark}"


def _colours(theme: dict[str, str], column: int) -> str:
    rules = [
        f".page{{fill:{theme['page']}}}",
        f"text{{fill:{theme['ink']}}}",
        f".soft{{fill:{theme['soft']}}}",
        f".rest{{fill:{theme['line']}}}",
        f".grid{{stroke:{theme['line']};stroke-width:.7}}",
        f".roof{{fill:none;stroke:{theme['edge']};stroke-width:1.5}}",
        *(f".{direction}{{fill:{COLOURS[kind][column]}}}" for direction, kind in KINDS.items()),
    ]
    return "\n".join(rules) + "\n"


def _text(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))), {'"': "&quot;"})
