"""Optimizers and initializers: a name, or a call with settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import arguments as calling
from kdsl.elaborate import foreign
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import near_edit
from kdsl.elaborate.program import Optimizer
from kdsl.elaborate.words import joined, question
from kdsl.ops.registry import Declared, Param, Refused
from kdsl.source import Span
from kdsl.syntax import tree
from kdsl.training.registry import INITIALIZERS, OPTIMIZERS

DEFAULT = "adam"
SAMPLES = {
    "a schedule": "cosine(warmup = 5 epochs)",
    "a regularizer": "l2(1e-4)",
    "an augmentation": "flip_horizontal",
}


def optimizer_of(context: Context, value: tree.Value | None, at: Span) -> Optimizer | None:
    """`adam(lr = 1e-3)`, `sgd`; without a value the default one. None where something is wrong."""
    if value is None:
        declared: type[Any] | None = OPTIMIZERS[DEFAULT]
        bound = calling.bind(context, calling.Callee(DEFAULT, OPTIMIZERS[DEFAULT].parameters, at, at), ())
    else:
        declared, bound = configured(context, value, OPTIMIZERS, "an optimizer", foreign.OPTIMIZERS)
    if declared is None or bound is None:
        return None
    try:
        declared.guard(bound.values)
    except Refused as refused:
        place = bound.spans.get(refused.argument, at) if refused.argument else at
        context.report.error(refused.code, refused.message, place, refused.label, help=refused.help)
        return None
    return Optimizer(declared.name, tuple(declared.numbers(bound.values)), tuple(declared.flags(bound.values)), at)


def initializer_of(context: Context, key: str, value: tree.Value) -> tuple[str, tuple[tuple[str, Any], ...]] | None:
    """`glorot_uniform`, `normal(std = 0.02)` -> (name, settings)."""
    declared, bound = configured(context, value, INITIALIZERS, "an initializer", {})
    if declared is None or bound is None:
        return None
    return declared.name, tuple(bound.values.items())


def declared_parameters(declared: type[Any]) -> Mapping[str, Param]:
    found: Mapping[str, Param] = declared.parameters
    return found


def configured(
    context: Context,
    value: tree.Value,
    registry: Mapping[str, type[Declared]],
    what: str,
    theirs: Mapping[str, str],
    parameters_of: Callable[[type[Any]], Mapping[str, Param]] = declared_parameters,
) -> tuple[type[Any] | None, calling.Arguments | None]:
    """One of a registry by name, with its arguments."""
    if isinstance(value, tree.Call):
        name, place, arguments = value.name.text, value.name.span, value.arguments
    elif isinstance(value, tree.Path) and len(value.names) == 1:
        name, place, arguments = value.text, value.span, ()
    elif isinstance(value, tree.Text):
        quoted(context, value, registry, what, theirs)
        return None, None
    else:
        sample = f"adam(lr = {value.span.text})" if isinstance(value, tree.Number) else "adam(lr = 1e-3)"
        help = f"for instance `{sample if 'adam' in registry else SAMPLES.get(what, next(iter(registry)))}`"
        context.report.error("E505", f"this is not {what}", value.span, help=help)
        return None, None
    if name not in registry:
        unknown(context, value, name, place, registry, what, theirs)
        return None, None
    declared = registry[name]
    callee = calling.Callee(name, parameters_of(declared), place, value.span)
    return declared, calling.bind(context, callee, arguments)


def ours_for(name: str, registry: Mapping[str, type[Any]], theirs: Mapping[str, str]) -> str:
    for key, declared in registry.items():
        if name in declared.keras or name in declared.torch:
            return key
    lower = foreign.lowered(name)
    return foreign.here(name, theirs) or (lower if lower in registry else "")


def unknown(
    context: Context,
    written: tree.Call | tree.Path,
    name: str,
    place: Span,
    registry: Mapping[str, type[Any]],
    what: str,
    theirs: Mapping[str, str],
) -> None:
    """Another library's name is answered with the whole call as it is written here, where its arguments are understood."""
    ours = ours_for(name, registry, theirs)
    text, at = ours, place
    if ours and isinstance(written, tree.Call):
        translated = foreign.translated(ours, registry[ours].parameters, written.arguments)
        if translated is not None and not translated[1]:
            text, at = translated[0], written.span
    if not ours:
        help = joined(question(name, registry), known(registry, what))
    elif ours == name.lower():
        help = f"names of the language are lower case: `{text}`"
    else:
        help = f"it is called `{ours}` here" + (f": `{text}`" if text != ours else "")
    edits = [Edit(at, text)] if ours else near_edit(place, name, list(registry))
    context.report.error("E208", f"I do not know {what} called `{name}`", place, help=help, edits=edits)


def known(registry: Mapping[str, object], what: str) -> str:
    """`optimizers are sgd, rmsprop ...`; `what` is "an optimizer"."""
    noun = what.split(" ", 1)[1]
    return f"{noun}{'es' if noun.endswith('s') else 's'} are {', '.join(registry)}"


def quoted(
    context: Context, value: tree.Text, registry: Mapping[str, type[Any]], what: str, theirs: Mapping[str, str]
) -> None:
    ours = value.value if value.value in registry else ours_for(value.value, registry, theirs)
    help = f"leave the quotes out: `{ours}`" if ours else known(registry, what)
    edits = [Edit(value.span, ours)] if ours else []
    context.report.error("E304", f"{what} is a word, not text", value.span, help=help, edits=edits)
