"""The body of a block or fn in one call: its names, its place in the model, and what messages from inside it say."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.elaborate.context import Context, Work
from kdsl.elaborate.scope import UNKNOWN, Definition, Scope
from kdsl.records import replace
from kdsl.source import Span


def body_of(context: Context, definition: Definition, path: str, weights: str) -> Context:
    """A new body, called from this context; it sees the names of its own file."""
    return replace(
        definition.home,
        report=context.report,
        scope=Scope(definition.item.name.text, definition.home.scope),
        place=context.place.inside(path, weights),
        work=context.work,
        what=context.what,
        depth=context.depth + 1,
        formula=context.formula,
    )


def unsized_body(definition: Definition) -> Context:
    """A body that nothing calls, with all its parameters unknown."""
    body = replace(body_of(definition.home, definition, "", ""), work=Work(), unsized=True)
    for parameter in definition.item.parameters:
        body.bind(parameter.name.text, UNKNOWN, parameter.name.span)
    return body


def note(text: str, at: Span, sizes: Mapping[str, int]) -> str:
    """What every message from inside a call says about it."""
    bound = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return f"in `{text}`, called at {at.source.name}:{at.line}" + (f": {bound}" if bound else "")
