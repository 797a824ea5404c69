"""A whole file: from its tree to one program for each model. Nothing here raises for anything a user can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdsl.diagnostics.diagnostic import Label
from kdsl.elaborate import blocks, formulas
from kdsl.elaborate.context import Context, Effort
from kdsl.elaborate.definitions import definitions, items_of
from kdsl.elaborate.doubts import doubtful_lines, without_doubts
from kdsl.elaborate.imports import Loader, Reader, read_import
from kdsl.elaborate.model import elaborate_model
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.not_yet import PARTS, not_yet
from kdsl.elaborate.program import Elaborated, ModelProgram
from kdsl.elaborate.report import Report
from kdsl.elaborate.scope import Scope
from kdsl.elaborate.settings import no_effect, read_settings
from kdsl.elaborate.words import question
from kdsl.syntax import tree


def elaborate(
    file: tree.File, settings: Mapping[str, str] | None = None, *, reader: Reader = read_import
) -> Elaborated:
    """Names, values, shapes and settings of a file that was parsed. `settings` are `--set` pairs.

    Imports are looked for from where `file.source.name` lies, whether or not there is such a file; `reader` reads them,
    so that an editor can give what it has not saved. What the parser could not read is passed over in silence: it has
    been reported.
    """
    file = without_doubts(file)
    report, effort = Report(), Effort()
    report.doubt(file.source, doubtful_lines(file))
    loader = Loader(report, effort, reader)
    models: list[ModelProgram] = []
    try:
        early = Context(report, items_of(file), Scope(), effort=effort)
        given = read_settings(early, settings or {}, file)
        home = loader.main(file, {name: value for name, (value, _) in given.items()})
        no_effect(home.context, given)
        trains = trains_of(home.context, file)
        for model in models_of(home.context, file):
            program = elaborate_model(home.context, model, trains.get(model.name.text), given)
            if program is not None:
                models.append(program)
        check_unused(loader)
        loader.errors_inside(home)
    except RecursionError:
        report.error("E120", "this file is nested too deeply", file.span, help="give its parts names")
    imported = [home.file.source for home in loader.homes.values() if home is not None and home.file is not file]
    imported.sort(key=lambda source: source.name)
    return Elaborated(file.source, tuple(models), report.finished(file.source), tuple(imported))


def check_unused(loader: Loader) -> None:
    """Blocks and fns that nothing calls are looked at as far as that goes without sizes."""
    for home in loader.homes.values():
        for definition in definitions(home.context).values() if home is not None else ():
            key = id(definition.item)
            if key in loader.effort.entered or key in loader.effort.circular:
                continue
            if isinstance(definition.item, tree.Block):
                blocks.check_unused(definition)
            else:
                formulas.check_unused(definition)


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
                edits = near_edit(item.path.names[0].span, name, models)
                message = f"there is no model `{name}` to train"
                context.report.error("E207", message, item.path.span, help=help, edits=edits)
        elif len(item.path.names) > 1:
            not_yet(context.report, "`train` blocks for parts of a model", item.path.span, PARTS)
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
