"""`--set hidden=256`: values given when building, read like the language's own."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl.elaborate import evaluate
from kdsl.elaborate.constants import Constant, Word
from kdsl.elaborate.context import Context
from kdsl.elaborate.scope import Definition, Scope
from kdsl.elaborate.words import question
from kdsl.source import Source, Span
from kdsl.syntax import parse, tree

Settings = dict[str, tuple[Constant, Span]]


def read_settings(context: Context, given: Mapping[str, str], file: tree.File) -> Settings:
    """Name -> (value, place). What nothing is called, or what is no value, is reported at `--set`."""
    known = settable(file)
    found: Settings = {}
    for name, text in given.items():
        source = Source("--set", f"{name}={text}")
        if name not in known:
            if not context.items.any_unread and name not in context.items.unread:
                unknown_setting(context, source.span(0, len(name)), name, known)
            continue
        at = source.span(len(name) + 1, len(source.text))
        value = read_value(context, text)
        if value is None:
            context.report.error(
                "E312",
                f"`{text}` is not a value",
                at,
                help="a number, `true`, `false`, a word or a list: `--set widths=[32,64]`",
            )
        else:
            found[name] = value, at
    return found


def no_effect(context: Context, given: Settings) -> None:
    """Reports settings of imported names that turned out to be blocks or fns."""
    for name, (_, at) in given.items():
        bound = context.scope.names.get(name)
        if bound is not None and isinstance(bound.meaning, Definition):
            whole = Span(at.source, 0, len(name))
            context.report.error("E202", f"`{name}` is a {bound.meaning.kind}, which has no value to set", whole)


def settable(file: tree.File) -> list[str]:
    """Every dim, imported names, which may be dims, and every model's parameters."""
    names: list[str] = []
    for item in file.items:
        if isinstance(item, tree.Dim):
            names.append(item.name.text)
        elif isinstance(item, tree.Import):
            names += [(alias or name).text for name, alias in item.names]
        elif isinstance(item, tree.Model):
            names += [parameter.name.text for parameter in item.parameters or ()]
    return list(dict.fromkeys(names))


def read_value(context: Context, text: str) -> Constant | None:
    """A literal: it may calculate, but knows no names; a bare name is a word."""
    parsed = parse(Source("--set", f"dim value = {text}"))
    items = parsed.tree.items
    if parsed.diagnostics or len(items) != 1 or not isinstance(items[0], tree.Dim):
        return None
    value = items[0].value
    if isinstance(value, tree.Path):
        return Word(value.text) if len(value.names) == 1 else None
    with context.report.silence():
        return evaluate.constant(context.within(Scope()).only_constants("a setting"), value, "a setting")


def unknown_setting(context: Context, at: Span, name: str, known: list[str]) -> None:
    if known:
        help = question(name, known) or f"there is {', '.join(f'`{each}`' for each in known)}"
    else:
        help = "this file has no `dim`, and its models have no parameters"
    context.report.error("E202", f"nothing in this file is called `{name}`", at, help=help)
