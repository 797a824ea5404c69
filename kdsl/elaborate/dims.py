"""`dim` items: they stand in any order and may use each other, but not in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import evaluate
from kdsl.elaborate.circles import in_order, shown
from kdsl.elaborate.constants import Constant
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import UNKNOWN
from kdsl.syntax import tree


def evaluate_dims(context: Context, dims: Sequence[tree.Dim], settings: Mapping[str, Constant]) -> None:
    """Gives every dim its value in the context's scope; `settings` replace values."""
    first = {dim.name.text: dim for dim in dims}
    constants = context.only_constants("a `dim`")
    needs: dict[str, list[str]] = {}
    for name, dim in first.items():
        needs[name] = [] if name in settings else [used for used in dict.fromkeys(names_in(dim.value)) if used in first]
    order, circles = in_order(needs)
    circular = {name for circle in circles for name in circle}
    for circle in circles:
        report_circle(context, circle, first)
    for name in order:
        if name in settings:
            context.bind(name, settings[name], first[name].name.span)
        elif name not in circular:
            found = evaluate.constant(constants, first[name].value, "a `dim`")
            context.bind(name, UNKNOWN if found is None else found, first[name].name.span)


def report_circle(context: Context, circle: Sequence[str], dims: Mapping[str, tree.Dim]) -> None:
    context.report.error(
        "E209",
        f"`{circle[0]}` is made from itself: {shown(circle)}",
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
        else:
            left.extend(tree.parts(part))
