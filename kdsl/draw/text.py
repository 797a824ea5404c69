"""How wide a text is: a table of character widths, those of Arial and its many look-alikes, in thousandths of the size."""

from __future__ import annotations

_GROUPS = {
    222: "ijl'",
    278: " !,./:;I[]ftr\\|",
    333: '()`-"{}',
    389: "*",
    500: "ckszvxyJ",
    556: "abdeghnopqu0123456789#$?_L",
    584: "+<=>~^",
    611: "FTZ",
    667: "ABEKPSVXY&",
    722: "CDHNRUw",
    778: "GOQ",
    833: "mM",
    889: "%",
    944: "W",
    1015: "@",
}
WIDTHS = {character: width for width, characters in _GROUPS.items() for character in characters}
OTHER = 620  # letters of other alphabets, about
WIDE = 1000  # ideographs and their like
ROOM = 1.13  # the font at hand may be a little wider


def width(text: str, size: float, bold: bool = False) -> float:
    """In pixels."""
    total = sum(WIDTHS.get(c, WIDE if ord(c) >= 0x1100 else OTHER) for c in text)
    return total / 1000 * size * ROOM * (1.1 if bold else 1.0)


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """`text` without what would be no character in a picture: controls, and halves of surrogate pairs."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
