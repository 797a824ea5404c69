"""The names of one file: dims, blocks and fns, each bound once, and no block or fn that uses itself."""

from __future__ import annotations

from collections.abc import Iterator

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import growth
from kdsl.elaborate.callee import CONSTANTS, is_constant
from kdsl.elaborate.circles import in_order, shown
from kdsl.elaborate.context import Context, Items
from kdsl.elaborate.names import bind_once
from kdsl.elaborate.scope import UNKNOWN, Bound, Definition
from kdsl.elaborate.words import listed
from kdsl.source import Span
from kdsl.syntax import tree


def items_of(file: tree.File) -> Items:
    unread: set[str] = set()
    any_unread = False
    for item in file.items:
        if isinstance(item, tree.Broken):
            unread.update(item.binds)
            any_unread = any_unread or not item.binds
        elif isinstance(item, tree.BrokenItem):
            any_unread = any_unread or item.name is None
            unread.update([item.name] if item.name else [])
    models = {item.name.text: item for item in reversed(file.items) if isinstance(item, tree.Model)}
    return Items(models, frozenset(unread), any_unread)


def declare(context: Context, file: tree.File) -> list[tree.Dim]:
    """Binds the names of a file -> its dims, whose values are still to come, as are imported names."""
    for unread in context.items.unread:
        context.scope.names[unread] = Bound(UNKNOWN, file.span, missing=True)
    dims: list[tree.Dim] = []
    for item in file.items:
        if isinstance(item, tree.Import):
            for name, alias in item.names:
                bind_once(context, alias or name, UNKNOWN)
        elif isinstance(item, (tree.Block, tree.Fn)):
            bind_once(context, item.name, Definition(item, context))
        elif isinstance(item, tree.Dim):
            if item.name.text not in context.scope.names or context.scope.names[item.name.text].missing:
                dims.append(item)
            bind_once(context, item.name, UNKNOWN)
    return dims


def definitions(context: Context) -> dict[str, Definition]:
    """The file's own blocks and fns."""
    pairs = ((name, bound.meaning) for name, bound in context.scope.names.items())
    return {name: found for name, found in pairs if isinstance(found, Definition) and found.home is context}


def check_definitions(context: Context) -> None:
    """Looks at the first lines of blocks and fns, refuses circles, and counts what each writes out."""
    own = definitions(context)
    used = {name: uses(definition.item, own) for name, definition in own.items()}
    order, circles = in_order({name: list(places) for name, places in used.items()})
    for circle in circles:
        context.effort.circular.update(id(own[name].item) for name in circle)
        first = own[circle[0]].item
        following = [*circle[1:], circle[0]][:5]
        places = [used[name][other] for name, other in zip(circle, following)]  # noqa: B905
        context.report.error(
            "E424",
            f"`{circle[0]}` uses itself" + (f": {shown(circle)}" if len(circle) > 1 else ""),
            first.name.span,
            secondary=[Label(place, f"uses `{name}`") for name, place in zip(following, places, strict=True)],
            help="blocks and formulas do not call themselves; `repeat n Step` makes copies of a step",
        )
    for name in order:
        growth.size_of(own[name])
        growth.operations_of(own[name])
        check_parameters(context, own[name].item)


def check_parameters(context: Context, item: tree.Block | tree.Fn) -> None:
    """Each name once, no default for what flows in, and something that flows in."""
    first: dict[str, tree.Parameter] = {}
    if isinstance(item, tree.Block) and all(is_constant(parameter) for parameter in item.parameters):
        context.report.error(
            "E423",
            f"nothing can flow into `{item.name.text}`: none of its parameters is a tensor",
            item.name.span,
            help=f"a block has at least one input: `block {item.name.text}(x: f32[C]) -> ...`",
        )
    for parameter in item.parameters:
        before = first.setdefault(parameter.name.text, parameter)
        if before is not parameter:
            context.report.error(
                "E205",
                f"`{parameter.name.text}` is a parameter already",
                parameter.name.span,
                secondary=[Label(before.name.span, "the first one")],
                help="choose another name",
            )
        elif isinstance(item, tree.Block) and parameter.type and parameter.default and not is_constant(parameter):
            context.report.error(
                "E312",
                f"`{parameter.name.text}` flows in, so it has no default",
                parameter.default.span,
                help=f"what is known when the model is compiled is {listed(CONSTANTS)}",
            )


def uses(item: tree.Block | tree.Fn, known: dict[str, Definition]) -> dict[str, Span]:
    """Those of the known names that an item calls, each with its first place."""
    own = {parameter.name.text for parameter in item.parameters}
    for statement in item.body:
        if isinstance(statement, tree.Let):
            own.update(name.text for name in statement.names)
    found: dict[str, Span] = {}
    for name in names_called((tuple(parameter.default for parameter in item.parameters), item.body)):
        if name.text in known and name.text not in own:
            found.setdefault(name.text, name.span)
    return found


def names_called(node: object) -> Iterator[tree.Name]:
    """Every name that stands for a value, a function or a step, in the order of the text."""
    left: list[object] = [node]
    while left:
        part = left.pop()
        if isinstance(part, tree.Path):
            yield part.names[0]
        elif isinstance(part, (tree.Call, tree.Layer)):
            yield part.name
            left.append(part.arguments)
        elif isinstance(part, tuple):
            left.extend(reversed(part))
        else:
            left.extend(reversed(tree.parts(part)))
