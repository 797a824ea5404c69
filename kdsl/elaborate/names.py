"""Names looked up and bound, and what is said where that fails."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit, Label
from kdsl.diagnostics.suggest import nearest
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import UNKNOWN, Bound, Meaning, Named
from kdsl.elaborate.words import question
from kdsl.ops.registry import LAYERS
from kdsl.source import Span
from kdsl.syntax import tree

BATCH = frozenset({"None", "batch", "batch_size", "N", "BATCH"})


def look_up(context: Context, name: tree.Name) -> Meaning | Named:
    """What the name stands for. An unknown one is reported at its first use only."""
    bound = context.scope.find(name.text)
    if bound is not None:
        return bound.meaning
    if context.items.later_feature(name.text) or context.items.any_unread:
        return UNKNOWN
    later = context.scope.bound_later(name.text)
    if later is not None:
        early(context, name, later)
    elif not context.scope.is_porous():
        unknown(context, name)
    context.scope.names[name.text] = Bound(UNKNOWN, name.span, missing=True)
    return UNKNOWN


def early(context: Context, name: tree.Name, later: Span) -> None:
    context.report.error(
        "E206",
        f"`{name.text}` is used before it is bound",
        name.span,
        secondary=[Label(later, "bound here")],
        help="statements stand in the order in which they are computed",
    )


def unknown(context: Context, name: tree.Name) -> None:
    owner = f"`{context.scope.owner}` has no value" if context.scope.owner else "there is no value"
    help = question(name.text, context.scope.visible())
    if name.text in BATCH and not help:
        help = "the batch axis is never written: shapes start with the first axis after it"
    elif name.text in LAYERS:
        help = f"`{name.text}` is a layer, which stands after an arrow: `x -> {name.text}`"
    elif not help and context.scope.owner:
        help = f"bind it in a line above, or make it a parameter{' of the model' if context.depth == 0 else ''}"
    edits = near_edit(name.span, name.text, context.scope.visible()) if help.startswith("did") else []
    context.report.error("E202", f"{owner} called `{name.text}`", name.span, help=help, edits=edits)


def near_edit(at: Span, word: str, known: list[str]) -> list[Edit]:
    """The edit of a did-you-mean, where only one name is near."""
    near = nearest(word, known)
    return [Edit(at, near[0])] if len(near) == 1 else []


def bind_once(context: Context, name: tree.Name, meaning: Meaning | Named) -> None:
    """Binds a name of this body; a second binding is reported and makes the name unknown."""
    before = context.scope.names.get(name.text)
    if before is None or before.missing or before.span == name.span:
        context.bind(name.text, meaning, name.span)
        return
    context.report.error(
        "E205",
        f"`{name.text}` is bound already, and a name is bound once",
        name.span,
        secondary=[Label(before.span, "bound here")],
        help="choose another name",
    )
    context.bind(name.text, UNKNOWN, before.span)
