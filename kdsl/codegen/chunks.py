"""What a chunk does, as text: chunks of a phase are counted through, and each finds its part by its number."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.codegen.text import indented


def by_chunks(parts: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """`if chunk < ..: elif ..: else:` over (number of chunks, lines of theirs)."""
    if len(parts) == 1:
        return list(parts[0][1])
    found, behind = [], 0
    for number, (chunks, lines) in enumerate(parts):
        behind += chunks
        test = f"{'elif' if number else 'if'} chunk < {behind}:"
        found.append("else:" if number == len(parts) - 1 else test)
        found += [indented(line, 4) for line in lines]
    return found


def counted_from(first: int) -> str:
    """The number of a chunk among those from `first` on."""
    return f"chunk - {first}" if first else "chunk"


def run_of(name: str, number: str, cut: int, whole: int) -> list[str]:
    """Sets `line` and `lines`, or another `name`: where run number `number` of `whole`, cut into runs of `cut`, begins, and its
    length."""
    first = f"({number}) * {cut}" if " " in number else f"{number} * {cut}"
    if whole % cut:
        return [f"{name} = {first}", f"{name}s = min({cut}, {whole} - {name})"]
    return [f"{name}, {name}s = {first}, {cut}"]
