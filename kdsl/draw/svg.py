"""A picture as SVG, written by ourselves: no script, no link, nothing from outside. The same picture gives the same bytes.

Colours are classes in one style sheet, for light and dark pages alike; texts enter through XML escaping only.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from kdsl.draw.layout import lay_out
from kdsl.draw.palette import style_sheet
from kdsl.draw.places import Across, Box, Label, Plan, Way
from kdsl.draw.scene import Card, Frame, Item, Part, Scene
from kdsl.draw.sizes import CIRCLE, FONT, LINE, MARGIN, SMALL, STRIPE, title_of
from kdsl.draw.text import cut, printable, width

TOP = 58.0  # the title's room
ARROW = 6.5


def svg(scene: Scene) -> str:
    plan = lay_out(scene.items, scene.edges)
    doc = cut(printable(scene.doc.strip().split("\n")[0]), 120)
    wide = max(plan.width, width(scene.title, 18, bold=True) + 2 * MARGIN, min(width(doc, FONT), 900.0) + 2 * MARGIN)
    shift = (wide - plan.width) / 2
    high = plan.height + (TOP if doc else TOP - 18) - MARGIN / 2
    down = high - plan.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(wide)} {_n(high)}" width="{_n(wide)}" '
        f'height="{_n(high)}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{_text(scene.title)}</title>',
        f'<desc id="desc">{_text(scene.doc.strip() or scene.title)}</desc>',
        f"<style>{style_sheet()}</style>",
        f'<rect class="page" width="{_n(wide)}" height="{_n(high)}"/>',
        f'<text class="heading" x="{_n(MARGIN)}" y="34">{_text(scene.title)}</text>',
    ]
    if doc:
        lines.append(f'<text class="doc" x="{_n(MARGIN)}" y="54">{_text(doc)}</text>')
    lines.append(f'<g transform="translate({_n(shift)} {_n(down)})">')
    for item in scene.items:
        lines += _frames(item, plan)
    lines += [_across(each) for each in plan.across]
    lines += [_way(way) for way in plan.ways]
    for item in scene.items:
        lines += _cards(item, plan)
    lines += [_label(label) for label in plan.labels]
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _n(value: float) -> str:
    """A number with one digit behind the point at most."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0") if abs(value) < 0.05 else f"{value:.1f}".removesuffix(".0")
    )


def _text(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def _tip(lines: tuple[str, ...]) -> str:
    return f"<title>{escape(chr(10).join(map(printable, lines)))}</title>" if lines else ""


def _frames(item: Item, plan: Plan, depth: int = 0) -> Iterator[str]:
    """Frames, the outer ones first, so that the inner ones lie on them."""
    if isinstance(item, Card):
        return
    box = plan.boxes[item.id]
    shade = "even" if depth % 2 == 0 else "odd"
    x, y, wide, high = map(_n, (box.x, box.y, box.width, box.height))
    yield f'<g class="frame {shade}">{_tip(item.tip)}<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="9"/>'
    yield f'<text class="frame-title" x="{_n(box.x + 12)}" y="{_n(box.y + 17.5)}">{_text(item.title)}</text>'
    yield from _badge(item, box)
    yield "</g>"
    for inner in item.items:
        yield from _frames(inner, plan, depth + 1)


def _badge(frame: Frame, box: Box) -> Iterator[str]:
    text = frame.badge or frame.shared
    if text:
        wide = width(text, SMALL, bold=True) + 14
        x = box.x + box.width - wide - 7
        kind = "badge" if frame.badge else "badge sharing"
        yield f'<rect class="{kind}" x="{_n(x)}" y="{_n(box.y + 6)}" width="{_n(wide)}" height="15" rx="7.5"/>'
        yield f'<text class="badge-text" x="{_n(x + wide / 2)}" y="{_n(box.y + 17)}">{_text(text)}</text>'


def _cards(item: Item, plan: Plan) -> Iterator[str]:
    if isinstance(item, Frame):
        for inner in item.items:
            yield from _cards(inner, plan)
    else:
        draw = {"circle": _circle, "chip": _chip, "pill": _pill, "card": _card}[item.form]
        yield from draw(item, plan.boxes[item.id])


def _circle(card: Card, box: Box) -> Iterator[str]:
    part, x, y = card.parts[0], box.x + CIRCLE, box.y + CIRCLE
    yield f'<g class="circle {part.kind}">{_tip(part.tip)}<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(CIRCLE)}"/>'
    yield f'<text class="sign" x="{_n(x)}" y="{_n(y + 5)}">{_text(part.text)}</text></g>'


def _chip(card: Card, box: Box) -> Iterator[str]:
    yield from _rounded(card, box, "chip", box.height / 2)


def _pill(card: Card, box: Box) -> Iterator[str]:
    yield from _rounded(card, box, "pill", box.height / 2)


def _rounded(card: Card, box: Box, form: str, radius: float) -> Iterator[str]:
    part = card.parts[0]
    x, y, wide, high = map(_n, (box.x, box.y, box.width, box.height))
    yield (
        f'<g class="{form} {part.kind}">{_tip(part.tip)}'
        f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="{_n(radius)}"/>'
    )
    middle, base = box.x + box.width / 2, box.y + box.height / 2 + 4
    yield f'<text class="middle" x="{_n(middle)}" y="{_n(base)}">{_spans(part)}</text></g>'


def _card(card: Card, box: Box) -> Iterator[str]:
    x, y, wide, high = map(_n, (box.x, box.y, box.width, box.height))
    yield f'<g class="card"><rect class="sheet" x="{x}" y="{y}" width="{wide}" height="{high}" rx="5"/>'
    for number, part in enumerate(card.parts):
        yield from _part(part, box, box.y + 2 + number * LINE, number > 0)
    yield "</g>"


def _part(part: Part, box: Box, y: float, ruled: bool) -> Iterator[str]:
    yield (
        f'<g class="part {part.kind}">{_tip(part.tip)}'
        f'<rect class="hit" x="{_n(box.x + 1)}" y="{_n(y)}" width="{_n(box.width - 2)}" height="{_n(LINE)}"/>'
        f'<rect class="stripe" x="{_n(box.x + 4)}" y="{_n(y + 3)}" width="4" height="{_n(LINE - 6)}" rx="2"/>'
    )
    if ruled:
        yield f'<path class="rule" d="M{_n(box.x + STRIPE + 8)} {_n(y)}H{_n(box.x + box.width - 6)}"/>'
    yield f'<text x="{_n(box.x + STRIPE + 9)}" y="{_n(y + 16)}">{_spans(part)}</text>'
    note = part.shared or part.note
    if note:
        kind = "note sharing" if part.shared else "note"
        yield f'<text class="{kind}" x="{_n(box.x + box.width - 8)}" y="{_n(y + 16)}">{_text(note)}</text>'
    yield "</g>"


def _spans(part: Part) -> str:
    name, layer, rest = title_of(part)
    named = f'<tspan class="name">{_text(name)}</tspan>' if name else ""
    return f'{named}<tspan class="layer">{_text(layer)}</tspan>{_text(rest)}'


def _way(way: Way) -> str:
    if way.side:
        return _from_the_side(way)
    sign = 1 if way.y2 >= way.y1 else -1  # gradients go up
    stop = way.y2 - sign * (ARROW - 1 if way.arrow else 0)
    points = [f"M{_n(way.x1)} {_n(way.y1)}"]
    if abs(way.x1 - way.x2) < 0.6:
        points.append(f"V{_n(stop)}")
    else:
        unbend = sign * min(sign * way.unbend, sign * stop)
        middle = (way.bend + unbend) / 2
        points.append(f"V{_n(way.bend)}")
        points.append(f"C{_n(way.x1)} {_n(middle)} {_n(way.x2)} {_n(middle)} {_n(way.x2)} {_n(unbend)}V{_n(stop)}")
    path = f'<path class="edge {way.style}" d="{"".join(points)}"/>'
    if way.arrow:
        path += f'<path class="arrow {way.style}" d="M{_n(way.x2)} {_n(way.y2)}l-3.6 {_n(-sign * ARROW)}h7.2z"/>'
    return path


def _across(way: Across) -> str:
    reach = min(70.0, abs(way.x2 - way.x1) / 2)
    bend = f"{_n(way.x1 + reach)} {_n(way.y1)} {_n(way.x2 - reach)} {_n(way.y2)}"
    return f'<path class="edge {way.style}" d="M{_n(way.x1)} {_n(way.y1)}C{bend} {_n(way.x2)} {_n(way.y2)}"/>'


def _from_the_side(way: Way) -> str:
    """Down beside a circle, and round the corner into it."""
    sign = 1 if way.y2 >= way.y1 else -1
    round = min(8.0, abs(way.x1 - way.x2))
    stop = way.x2 + way.side * (ARROW - 1)
    line = f"M{_n(way.x1)} {_n(way.y1)}V{_n(way.y2 - sign * round)}"
    line += f"Q{_n(way.x1)} {_n(way.y2)} {_n(way.x1 - way.side * round)} {_n(way.y2)}H{_n(stop)}"
    arrow = f"M{_n(way.x2)} {_n(way.y2)}l{_n(way.side * ARROW)} -3.6v7.2z"
    return f'<path class="edge {way.style}" d="{line}"/><path class="arrow {way.style}" d="{arrow}"/>'


def _label(label: Label) -> str:
    end = " end" if label.end else ""
    return f'<text class="type{end}" x="{_n(label.x)}" y="{_n(label.y)}">{_text(label.text)}</text>'
