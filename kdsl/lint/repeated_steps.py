"""W617: the same steps written three times or more, which `repeat` says once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.lint.mending import plain
from kdsl.lint.subject import nodes_of
from kdsl.ops.registry import LAYERS, Layer
from kdsl.syntax import tree

FEWEST, LONGEST = 3, 6  # copies; steps of one copy


def check(file: tree.File) -> Iterator[Diagnostic]:
    for part in nodes_of(file.items):
        if isinstance(part, (tree.Pipe, tree.Chain)):
            yield from repeated(part.steps)


def repeated(steps: Sequence[tree.Step]) -> Iterator[Diagnostic]:
    texts = [None if named(step) else plain(step.span) for step in steps]
    at = 0
    while at < len(steps):
        period, copies = longest(texts, at)
        if copies < FEWEST or not any(map(weighted, steps[at : at + period])):
            at += 1
            continue
        yield report(steps[at : at + period * copies], period, copies)
        at += period * copies


def longest(texts: Sequence[str | None], at: int) -> tuple[int, int]:
    """(steps of a copy, copies) of what repeats from here, where most steps are covered."""
    best = (1, 1)
    for period in range(1, LONGEST + 1):
        group = texts[at : at + period]
        copies = 1
        while None not in group and texts[at + copies * period : at + (copies + 1) * period] == group:
            copies += 1
        if copies > 1 and period * copies > best[0] * best[1]:
            best = (period, copies)
    return best


def report(steps: Sequence[tree.Step], period: int, copies: int) -> Diagnostic:
    source, start = steps[0].span.source, steps[0].span.start
    group = source.text[start : steps[period - 1].span.stop]
    short = " ".join(group.split())
    written = f"repeat {copies} {short if period == 1 else f'{{ {short} }}'}"
    edits = (Edit(source.span(start, steps[-1].span.stop), written),)
    return Diagnostic(
        "W617",
        f"`{short}` is written {copies} times in a row",
        Label(steps[0].span),
        (Label(steps[-1].span, "up to here"),),
        help=f"write `{written}`",
        edits=edits if "#" not in source.text[start : steps[-1].span.stop] else (),
    )


def named(step: tree.Step) -> bool:
    return any(isinstance(part, (tree.Layer, tree.Chain)) and part.alias is not None for part in nodes_of(step))


def weighted(step: tree.Step) -> bool:
    if not isinstance(step, tree.Layer):
        return True
    return step.name.text not in LAYERS or LAYERS[step.name.text].weights is not Layer.weights
