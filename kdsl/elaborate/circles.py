"""Circles among names that need each other, and an order in which each comes after what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def in_order(needs: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """(every name after those it needs, one list for each circle). `needs` names only keys of its own."""
    order: list[str] = []
    circles: list[list[str]] = []
    state: dict[str, int] = {}  # 1: on the way, 2: done
    for start in needs:
        way = [(start, iter(needs[start]))] if start not in state else []
        state.setdefault(start, 1)
        while way:
            name, rest = way[-1]
            following = next(rest, None)
            if following is None:
                state[name] = 2
                order.append(name)
                way.pop()
            elif following not in state:
                state[following] = 1
                way.append((following, iter(needs[following])))
            elif state[following] == 1:
                names = [each for each, _ in way]
                circles.append(names[names.index(following) :])
    return order, circles


def shown(circle: Sequence[str]) -> str:
    """`a -> b -> a`."""
    names = circle if len(circle) <= 6 else [*circle[:5], "..."]
    return " -> ".join([*names, circle[0]])
