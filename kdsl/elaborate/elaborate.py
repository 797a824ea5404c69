"""A whole file: from its tree to one program for each model. Nothing here raises for anything a user can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate.context import Context, Items
from kdsl.elaborate.dims import evaluate_dims
from kdsl.elaborate.model import elaborate_model
from kdsl.elaborate.not_yet import not_yet
from kdsl.elaborate.program import Elaborated, ModelProgram
from kdsl.elaborate.report import Report
from kdsl.elaborate.scope import UNKNOWN, Scope
from kdsl.elaborate.settings import Settings, read_settings
from kdsl.elaborate.words import question
from kdsl.syntax import tree


def elaborate(file: tree.File, settings: Mapping[str, str] | None = None) -> Elaborated:
    """Names, values, shapes and settings of a file that was parsed. `settings` are `--set` pairs.

    What the parser could not read is passed over in silence: it has been reported.
    """
    report = Report()
    context = Context(report, items_of(file), Scope())
    models: list[ModelProgram] = []
    try:
        given = read_settings(context, settings or {}, file)
        bind_items(context, file, given)
        trains = trains_of(context, file)
        for model in models_of(context, file):
            program = elaborate_model(context, model, trains.get(model.name.text), given)
            if program is not None:
                models.append(program)
    except RecursionError:
        report.error("E120", "this file is nested too deeply", file.span, help="give its parts names")
    return Elaborated(file.source, tuple(models), report.finished())


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
    imports = [item for item in file.items if isinstance(item, tree.Import)]
    return Items(
        {item.name.text: item for item in reversed(file.items) if isinstance(item, tree.Model)},
        {item.name.text: item for item in file.items if isinstance(item, tree.Block)},
        {item.name.text: item for item in file.items if isinstance(item, tree.Fn)},
        frozenset((alias or name).text for item in imports for name, alias in item.names),
        frozenset(unread),
        any_unread,
    )


def bind_items(context: Context, file: tree.File, settings: Settings) -> None:
    """Dims get their values; blocks, fns and imports are named as not being there yet."""
    for name in context.items.unread:
        context.bind(name, UNKNOWN, file.span)
    dims = [item for item in file.items if isinstance(item, tree.Dim)]
    evaluate_dims(context, dims, {name: value for name, (value, _) in settings.items()})
    for item in file.items:
        if isinstance(item, tree.Block):
            not_yet(
                context.report, "blocks (`block`)", item.name.span, "write its steps out, or repeat them with `repeat`"
            )
        elif isinstance(item, tree.Fn):
            not_yet(context.report, "formulas (`fn`)", item.name.span)
        elif isinstance(item, tree.Import):
            not_yet(context.report, "imports", item.span)


def models_of(context: Context, file: tree.File) -> Sequence[tree.Model]:
    """The models, each name once."""
    found: list[tree.Model] = []
    for item in file.items:
        if not isinstance(item, tree.Model):
            continue
        first = context.items.models[item.name.text]
        if first is item:
            found.append(item)
        else:
            context.report.error(
                "E205",
                f"there is a model `{item.name.text}` already",
                item.name.span,
                secondary=[Label(first.name.span, "the first one")],
                help="choose another name",
            )
    return found


def trains_of(context: Context, file: tree.File) -> dict[str, tree.Train]:
    """Model's name -> its `train` block."""
    found: dict[str, tree.Train] = {}
    for item in file.items:
        if not isinstance(item, tree.Train):
            continue
        name = item.path.names[0].text
        if name not in context.items.models:
            if name not in context.items.unread and not context.items.any_unread:
                models = list(context.items.models)
                help = question(name, models) or (
                    f"there is `{'`, `'.join(models)}`" if models else "there is none in this file"
                )
                context.report.error("E207", f"there is no model `{name}` to train", item.path.span, help=help)
        elif len(item.path.names) > 1:
            not_yet(context.report, "`train` blocks for parts of a model", item.path.span)
        elif name in found:
            context.report.error(
                "E507",
                f"`{name}` has a `train` block already",
                item.path.span,
                secondary=[Label(found[name].path.span, "the first one")],
                help="put all settings into one block",
            )
        else:
            found[name] = item
    return found
