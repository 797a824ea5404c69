"""Names looked up and bound, and what is said where that fails."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import UNKNOWN, Meaning, NamedStep
from kdsl.elaborate.words import question
from kdsl.ops.registry import LAYERS
from kdsl.syntax import tree

PYTHON = {"True": "true", "False": "false"}
BATCH = frozenset({"None", "batch", "batch_size", "N", "BATCH"})


def look_up(context: Context, name: tree.Name) -> Meaning | NamedStep:
    """What the name stands for. An unknown one is reported at its first use and known to be unknown from then on."""
    bound = context.scope.find(name.text)
    if bound is not None:
        return bound.meaning
    if context.items.later_feature(name.text) or context.items.any_unread:
        return UNKNOWN
    later = context.scope.bound_later(name.text)
    if later is not None:
        label = Label(later, "bound here")
        context.report.error("E206", f"`{name.text}` is used before it is bound", name.span, secondary=[label])
    elif not context.scope.is_porous():
        unknown(context, name)
    context.bind(name.text, UNKNOWN, name.span)
    return UNKNOWN


def unknown(context: Context, name: tree.Name) -> None:
    owner = f"`{context.scope.owner}` has no value" if context.scope.owner else "there is no value"
    help, edits = question(name.text, context.scope.visible()), []
    if name.text in PYTHON:
        help = f"write `{PYTHON[name.text]}`"
        edits = [Edit(name.span, PYTHON[name.text])]
    elif name.text in BATCH and not help:
        help = "the batch axis is never written: shapes start with the first axis after it"
    elif name.text in LAYERS:
        help = f"`{name.text}` is a layer, which stands after an arrow: `x -> {name.text}`"
    context.report.error("E202", f"{owner} called `{name.text}`", name.span, help=help, edits=edits)


def bind_once(context: Context, name: tree.Name, meaning: Meaning | NamedStep) -> None:
    """Binds a name of this body; a second binding is reported and makes the name unknown."""
    before = context.scope.names.get(name.text)
    if before is None or before.span == name.span:
        context.bind(name.text, meaning, name.span)
        return
    context.report.error(
        "E205",
        f"`{name.text}` is bound already, and a name is bound once",
        name.span,
        secondary=[Label(before.span, "bound here")],
        help=f"go on with `->` in the line that binds `{name.text}`, or choose another name",
    )
    context.bind(name.text, UNKNOWN, before.span)
