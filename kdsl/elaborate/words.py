"""How messages list names and suggest them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kdsl.diagnostics.suggest import nearest


def listed(names: Sequence[str], last: str = "or") -> str:
    """`a`, `b` or `c`, in backticks."""
    marked = [f"`{name}`" for name in names]
    return f"{', '.join(marked[:-1])} {last} {marked[-1]}" if len(marked) > 1 else "".join(marked)


def question(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?`, or nothing where no name is near."""
    names = nearest(word, known)
    return f"did you mean {listed(names)}?" if names else ""


def joined(*sentences: str) -> str:
    """What is not empty, as `a; b`, or after a question `a? b`."""
    text = "; ".join(sentence for sentence in sentences if sentence)
    return text.replace("?; ", "? ")


def short(text: str, most: int = 60) -> str:
    """Source text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def counted(number: int, noun: str) -> str:
    """`1 value`, `3 values`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
