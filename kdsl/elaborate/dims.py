"""`dim` items: they stand in any order and may use each other, but not in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import Constant
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import bind_once
from kdsl.elaborate.scope import UNKNOWN
from kdsl.source import Source, Span
from kdsl.syntax import tree


def evaluate_dims(context: Context, dims: Sequence[tree.Dim], settings: Mapping[str, Constant]) -> None:
    """Binds every dim in the context's scope; `settings` replace values."""
    first: dict[str, tree.Dim] = {}
    for dim in dims:
        if dim.name.text in first:
            bind_once(context, dim.name, UNKNOWN)
        else:
            first[dim.name.text] = dim
            context.bind(dim.name.text, UNKNOWN, dim.name.span)
    constants = context.only_constants("a `dim`")
    waiting = {
        name: [used for used in names_in(dim.value) if used in first]
        for name, dim in first.items()
        if name not in settings
    }
    for name in settings:
        if name in first:
            context.bind(name, settings[name], first[name].name.span)
    readers: dict[str, list[str]] = {}
    for name, needs in waiting.items():
        for need in needs:
            readers.setdefault(need, []).append(name)
    left = {name: sum(need in waiting for need in needs) for name, needs in waiting.items()}
    ready = [name for name, count in left.items() if count == 0]
    while ready:
        name = ready.pop()
        del left[name]
        found = evaluate.constant(constants, first[name].value, "a `dim`")
        context.bind(name, UNKNOWN if found is None else found, first[name].name.span)
        for reader in readers.get(name, ()):
            if reader in left:
                left[reader] -= 1
                if left[reader] == 0:
                    ready.append(reader)
    report_cycle(context, {name: [n for n in waiting[name] if n in left] for name in left}, first)


def report_cycle(context: Context, needs: Mapping[str, Sequence[str]], dims: Mapping[str, tree.Dim]) -> None:
    """One report for each circle; what only reads from one stays silent."""
    done: set[str] = set()
    for start in needs:
        way: list[str] = []
        name = start
        while name not in done:
            done.add(name)
            way.append(name)
            name = needs[name][0]
        if name not in way:
            continue
        circle = way[way.index(name) :]
        shown = circle if len(circle) <= 6 else [*circle[:5], "..."]
        context.report.error(
            "E209",
            f"`{circle[0]}` is made from itself: {' -> '.join([*shown, circle[0]])}",
            dims[circle[0]].name.span,
            secondary=[Label(dims[other].name.span) for other in circle[1:6]],
            help="give one of them a number",
        )


def names_in(node: object) -> Iterator[str]:
    """Every name that a value mentions."""
    left: list[object] = [node]
    while left:
        part = left.pop()
        if isinstance(part, tree.Path):
            yield part.names[0].text
        elif isinstance(part, tuple):
            left.extend(part)
        elif is_dataclass(part) and not isinstance(part, (Span, Source, type)):
            left.extend(getattr(part, field.name) for field in fields(part))
