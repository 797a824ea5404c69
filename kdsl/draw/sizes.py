"""Measures of what is drawn, in pixels."""

from __future__ import annotations

from kdsl.draw.scene import Card, Frame, Part
from kdsl.draw.text import width

FONT, SMALL, TITLE = 12.0, 10.0, 12.0
LINE = 24.0  # height of a part
STRIPE = 5.0
HEADER = 26.0  # of a frame
PAD = 14.0  # inside a frame
APART = 26.0  # between boxes of a row
LANE = 16.0  # between a box and an edge that passes
CIRCLE = 13.0  # radius
CHIP = 22.0
LABEL = 14.0  # from the bottom of a box to the base line of its label
MARGIN = 24.0


def title_of(part: Part) -> tuple[str, str, str]:
    """What the user calls it, the layer's name, and its arguments: drawn in three weights."""
    name, bracket, rest = part.text.partition("(")
    return f"{part.name} " if part.name else "", name, bracket + rest


def part_width(part: Part) -> float:
    name, layer, rest = title_of(part)
    note = part.shared or part.note
    texts = width(name, FONT) + width(layer, FONT, bold=True) + width(rest, FONT)
    return texts + (width(note, SMALL) + 16 if note else 0)


def card_size(card: Card) -> tuple[float, float]:
    widest = max(part_width(part) for part in card.parts)
    if card.form == "circle":
        return 2 * CIRCLE, 2 * CIRCLE
    if card.form == "chip":
        return widest + 20, CHIP
    if card.form == "pill":
        return widest + 32, LINE + 4
    return max(STRIPE + widest + 22, 96.0), LINE * len(card.parts) + 4


def frame_width(frame: Frame) -> float:
    """What its title line needs."""
    badge = frame.badge or frame.shared
    return width(frame.title, TITLE, bold=True) + (width(badge, SMALL, bold=True) + 30 if badge else 0) + 24
