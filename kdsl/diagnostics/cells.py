"""Text in columns of a terminal: tabs, wide characters and what must not reach the screen."""

from __future__ import annotations

import unicodedata

TAB = 4


def visible(text: str) -> str:
    """The text with tabs as blanks and control or direction-turning characters as `�`: safe to print."""
    out: list[str] = []
    column = 0
    for character in text:
        if character == "\t":
            blanks = TAB - column % TAB
            out.append(" " * blanks)
            column += blanks
        else:
            out.append("\N{REPLACEMENT CHARACTER}" if hostile(character) else character)
            column += cell_width(character)
    return "".join(out)


def hostile(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def cell_width(character: str) -> int:
    """The columns a character takes on a terminal, tabs apart."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def width(text: str) -> int:
    """The columns of `visible(text)`."""
    return sum(cell_width(character) for character in visible(text))
