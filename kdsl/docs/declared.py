"""The entry of one thing with parameters: a layer, a loss, an optimizer ..."""

from __future__ import annotations

import inspect
from typing import Any

from kdsl.docs.markdown import code, codes, fenced, table
from kdsl.ops.registry import Declared, Layer, Param
from kdsl.training.registry import Compared

KINDS = {
    "size": "a whole number, at least 1",
    "int": "a whole number",
    "number": "a number",
    "numbers": "a number, or a list of them",
    "bool": "`true` or `false`",
    "shape": "a list of sizes",
    "axis": "an axis",
    "axes": "an axis, or a list of them",
    "ints": "a list of whole numbers",
    "sizes": "a size, or a list of them",
    "pairs": "a number, a pair, or a list of pairs",
    "text": "quoted text",
    "initializer": "an initializer",
    "time": "a time, such as `5 epochs`",
    "times": "a list of times",
}


def entry(name: str, declared: type[Declared], *more: str) -> str:
    """Heading, signature, text, example, parameters, and what others call it. `more` stands behind the example."""
    text, source = divided(declared)
    signature = [fenced(signature_of(name, declared), "text")]
    parts = [
        f"### {name}",
        *signature,
        text,
        fenced(declared.example()),
        *more,
        parameters(declared),
        "  \n".join(filter(None, [elsewhere(declared), source])),
    ]
    return "\n\n".join(part for part in parts if part)


def divided(declared: type[Declared]) -> tuple[str, str]:
    """The docstring without its example: (what it says, its source)."""
    whole = inspect.getdoc(declared) or ""
    text, _, rest = whole.partition("```kmodel\n")
    return text.strip(), rest.partition("```")[2].strip()


def summary(declared: type[Declared]) -> str:
    """The first sentence of the docstring, or its first formula."""
    first = divided(declared)[0].split("\n\n")[0].replace("\n", " ")
    return first[:-1] if first.endswith(":") else first


# -- parameters ----------------------------------------------------------------------------------------


def ordered(declared: type[Declared]) -> list[tuple[str, Param]]:
    """As they are written: the one without a name, those that must be given, the others."""
    return sorted(declared.parameters.items(), key=lambda pair: (not pair[1].positional, not pair[1].required))


def signature_of(name: str, declared: type[Declared]) -> str:
    written = [parameter_text(key, param) for key, param in ordered(declared)]
    if issubclass(declared, Compared):
        written = ["prediction", "target", *written]
    if issubclass(declared, Layer) and declared.function:
        written = [*inputs_of(declared), *written]
    line = f"{name}({', '.join(written)})" if written else name
    if len(line) <= 90:
        return line
    return f"{name}(\n" + "".join(f"  {each},\n" for each in written) + ")"


def inputs_of(layer: type[Layer]) -> list[str]:
    most = layer.arity[1]
    if layer.listed:
        return ["[a, b, ...]"]
    if most is None:
        return ["x, ..."]
    return [["x"], ["x", "y"], ["condition", "x", "y"]][most - 1] if most else []


def parameter_text(name: str, param: Param) -> str:
    kind = " | ".join(param.words) if param.kind == "word" and param.words else param.kind
    return f"{name}: {kind}" + ("" if param.required else f" = {value_text(param.default)}")


def parameters(declared: type[Declared]) -> str:
    if not declared.parameters:
        return ""
    rows = []
    for name, param in ordered(declared):
        default = "must be given" if param.required else code(value_text(param.default))
        rows.append([code(name), kind_text(param), default, said(param)])
    return table(["parameter", "takes", "default", "meaning"], rows)


def kind_text(param: Param) -> str:
    if param.kind == "word":
        return codes(param.words) if param.words else "a word"
    low, high = (bound_text(bound) for bound in (param.low, param.high))
    text = KINDS[param.kind]
    if low and high:
        ends = {"": "", "low": ", the first excluded", "high": ", the last excluded", "both": ", both excluded"}
        return f"{text}, {low} to {high}{ends[param.open]}"
    if low and not (param.kind == "size" and low == "1"):
        return f"{text} {'above' if param.open in ('low', 'both') else 'from'} {low}" + (
            " on" if param.open not in ("low", "both") else ""
        )
    return f"{text} up to {high}" if high else text


def said(param: Param) -> str:
    theirs = f" (Keras: `{param.keras}`)" if param.keras else ""
    first = " Stands first, without its name." if param.positional else ""
    return f"{param.doc}{theirs}.{first}" if first else f"{param.doc}{theirs}"


def bound_text(bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}"


def value_text(value: Any) -> str:
    """A default, as the language writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) or abs(value) > 1e6 else f"{value:.1f}"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        return f"{value[0]:g} {value[1]}"  # a time
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        settings = ", ".join(f"{key} = {value_text(each)}" for key, each in value[1])
        return f"{value[0]}({settings})" if settings else value[0]  # an initializer
    if isinstance(value, tuple):
        return value_text(value[0]) if len(value) == 1 else f"[{', '.join(map(value_text, value))}]"
    return str(value)


# -- names elsewhere -----------------------------------------------------------------------------------


def elsewhere(declared: type[Declared]) -> str:
    keras, torch = getattr(declared, "keras", ()), getattr(declared, "torch", ())
    said = [f"Keras: {codes(keras)}"] if keras else []
    said += [f"PyTorch: {codes(torch)}"] if torch else []
    return ". ".join(said) + "." if said else ""
