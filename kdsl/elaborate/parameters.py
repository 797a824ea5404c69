"""Parameters of a model, and the values that `--set` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from kdsl.elaborate import signatures
from kdsl.elaborate.callee import CONSTANTS
from kdsl.elaborate.constants import Constant, Text, Time, Word, is_number, kind_of, show
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import bind_once
from kdsl.elaborate.scope import UNKNOWN, LayerChoice, Named, Tensor, Unknown
from kdsl.elaborate.types import TENSORS
from kdsl.elaborate.words import question, short
from kdsl.graph.graph import Attribute
from kdsl.source import Span
from kdsl.syntax import tree

SAMPLES = {"int": "128", "float": "0.5", "bool": "true", "word": "same", "list": "[32, 64]", "layer": "relu"}


def bind_parameters(
    context: Context, model: tree.Model, settings: Mapping[str, tuple[Constant, Span]]
) -> tuple[tuple[str, Attribute], ...]:
    """Binds the model's parameters -> their values, as the program records them."""
    found: list[tuple[str, Attribute]] = []
    constants = context.only_constants("a parameter")
    for parameter in model.parameters or ():
        value = parameter_value(constants, model, parameter, settings)
        bind_once(context, parameter.name, UNKNOWN if value is None else value)
        if value is not None:
            found.append((parameter.name.text, attribute(value)))
    return tuple(found)


def parameter_value(
    context: Context, model: tree.Model, parameter: tree.Parameter, settings: Mapping[str, tuple[Constant, Span]]
) -> Constant | Named | None:
    name = parameter.name.text
    type = parameter.type.name.text if parameter.type is not None else ""
    if parameter.type is None:  # the parser says so
        return None
    if type not in CONSTANTS or parameter.type.shape is not None:
        not_a_parameter(context, parameter, parameter.type)
        return None
    if name in settings:
        value, at = settings[name]
        if type == "layer" and isinstance(value, Word):
            return set_layer(context, parameter, value, at)
        return of_type(context, name, type, value, at)
    if parameter.default is None:
        context.report.error(
            "E317",
            f"the parameter `{name}` of `{model.name.text}` has no value",
            parameter.span,
            help=f"give it one for when none is set, as in `{name}: {type} = {SAMPLES[type]}`, or build with `--set {name}=...`",
        )
        return None
    found = signatures.argument_value(context, parameter, parameter.default)
    return None if isinstance(found, (Unknown, Tensor)) else found


def set_layer(context: Context, parameter: tree.Parameter, word: Word, at: Span) -> Constant | LayerChoice | None:
    """`--set act=gelu`."""
    found = signatures.layer_choice(context, parameter, tree.Path((tree.Name(word.text, at),), at))
    return found if isinstance(found, LayerChoice) else None


def of_type(context: Context, name: str, type: str, value: Constant, at: Span) -> Constant | None:
    """The value, if it is of the parameter's type; otherwise reports it."""
    fits = {
        "int": is_number(value) and value == int(value),  # type: ignore[arg-type]
        "float": is_number(value),
        "bool": isinstance(value, bool),
        "word": isinstance(value, Word),
        "list": isinstance(value, tuple),
        "layer": False,
    }[type]
    if fits:
        return value
    given = show(value) if is_number(value) else kind_of(value)
    context.report.error("E312", f"`{name}` is {article(type)}, not {given}", at)
    return None


def article(type: str) -> str:
    names = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "word": "a word",
        "list": "a list",
        "layer": "a layer",
    }
    return f"{names[type]} (`{type}`)"


def not_a_parameter(context: Context, parameter: tree.Parameter, type: tree.TypeRef) -> None:
    name = type.name.text
    if name in TENSORS:
        message = f"`{name}` is the type of a tensor, and a model's parameters are known when it is compiled"
        help = f"what data flows in is an input: `input {parameter.name.text}: {type.span.text}` in the body"
    else:
        message = f"there is no type `{name}`"
        help = question(name, CONSTANTS) or "parameters are `int`, `float`, `bool`, `word`, `list` or `layer`"
    context.report.error("E311", message, type.span, help=help)


def attribute(value: Constant | Named) -> Attribute:
    """A compile-time value as the program records it."""
    if isinstance(value, Named):
        return short(value.step.span.text) if isinstance(value, LayerChoice) else ""
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, Word):
        return value.text
    if isinstance(value, Text):
        return value.value
    if isinstance(value, Time):
        return float(value.amount), value.unit
    return tuple(attribute(item) for item in value)
