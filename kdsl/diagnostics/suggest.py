"""Did you mean: the names nearest to one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """Up to `limit` candidates whose distance is at most a third of the longer word's length, the nearest first.

    Upper and lower case count as the same. Candidates of equal distance keep their order.
    """
    folded = word.casefold()
    rated: list[tuple[int, int, str]] = []
    for place, candidate in enumerate(dict.fromkeys(candidates)):
        most = max(len(folded), len(candidate)) // 3
        if abs(len(folded) - len(candidate)) > most:
            continue
        apart = distance(folded, candidate.casefold())
        if apart <= most:
            rated.append((apart, place, candidate))
    return [candidate for _, _, candidate in sorted(rated)[:limit]]


def distance(left: str, right: str) -> int:
    """Damerau-Levenshtein (optimal string alignment): insertions, deletions, replacements, swaps of neighbours."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
    return row[-1]
