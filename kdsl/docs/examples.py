"""Examples of the documentation made whole: the statements of one are put into a model, its settings into a `train`.

A text with an item (`model`, `block`, `fn` ...) is whole. What a fragment reads and does not bind is an input, of the
type that its first line gives (`# x: f32[8, 16], n: index(50)`) or that is usual for its name, or a `dim`. What a comment announces (`# E401`) is what the example must give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate import Elaborated, elaborate
from kdsl.lint import lint
from kdsl.source import Source
from kdsl.syntax import parse

ITEM = re.compile(r"^(?:import|dim|fn|block|model|train)\b(?! *[=.])", re.MULTILINE)
SETTING = re.compile(
    r"^(?:loss|metrics|optimizer|schedule|regularize|augment|batch|epochs|seed|validation_split|stop_early|keep_best|tune)\b",
    re.MULTILINE,
)
GIVEN = re.compile(r"^#((?: *\w+: *[\w()]+(?:\[[^\]]*\])?,?)+) *$", re.MULTILINE)
ANNOUNCED = re.compile(r"#.*?\b([EW]\d{3})\b")
BINDS = re.compile(
    r"^ *(?:(?:frozen +)?weight +|input +|target +|output +)?(\w+(?:, *\w+)*) *(?:=|:)(?!=)", re.MULTILINE
)

DIMS = {"T": 8, "D": 16, "C": 64, "H": 28, "W": 28, "V": 50, "out": 64}
TYPES = {
    "x": "f32[64]", "y": "f32[64]", "image": "f32[28, 28, 3]", "h": "f32[64]", "words": "index(50)[10]", "left": "f32[64]",
    "right": "f32[64]", "numbers": "f32[8]", "logits": "f32[10]", "main": "f32[64]", "skip": "f32[64]", "gate": "f32[64]",
    "label": "index(10)", "q": "f32[8, 16]", "k": "f32[8, 16]", "queries": "f32[8, 16]", "keys": "f32[8, 16]",
    "attention": "f32[8, 8]", "values": "f32[8, 16]", "mask": "bool[10]", "pattern": "f32[2, 2, 1]", "code": "f32[16]",
    "candidates": "f32[5, 16]", "best": "index(5)", "first": "f32[10]", "second": "f32[10]", "third": "f32[10]",
    "query": "f32[16]", "document": "f32[16]", "mean": "f32[16]", "log_variance": "f32[16]", "estimate": "f32", "price": "f32",
}  # fmt: skip
OWN = {
    "expand_dims": {"x": "f32[8]"},
    "transpose": {"x": "f32[4, 8, 16]"},
    "permute": {"x": "f32[8, 16]"},
    "pad": {"x": "f32[8, 16]"},
    "flip": {"words": "f32[10, 16]"},
    "concat": {"words": "f32[16]"},
    "split": {"words": "f32[10, 16]"},
    "reshape": {"x": "f32[2352]"},
    "gather": {"best": "index(5)[3]"},
    "conv_transpose": {"h": "f32[14, 14, 64]"},
    "upsample": {"h": "f32[14, 14, 64]"},
}
TRAINED = """model Example {
  input  image: f32[28, 28]
  input  mail: f32[100]
  input  house: f32[4]
  target label: index(10)
  target spam: bool
  target sold_for: f32
  logits = image -> flatten -> dense(10)
  logit = mail -> dense(1)
  price = house -> dense(1)
  output logits, logit, price
}
"""


def whole(text: str, about: str = "") -> str:
    """A text that can be compiled. `about`: the layer that it is the example of."""
    if ITEM.search(text):
        return text
    if SETTING.search(text):
        return trained(text)
    types = {**TYPES, **OWN.get(about, {}), **given(text)}
    other = "f32[64]" if about else ""
    inputs = {} if re.search(r"^input ", text, re.MULTILINE) else given(text)
    dims: dict[str, int] = {}
    while True:
        made = model_of(text, inputs, dims)
        missing = [each.primary.span.text for each in findings(made)[1] if each.code == "E202"]
        sizes = {name: DIMS[name] for name in missing if name in DIMS and name not in dims}
        values = {name: types.get(name, other) for name in missing if name not in {**inputs, **sizes}}
        values = {name: type for name, type in values.items() if type}
        if not sizes and not values:
            return made if inputs or "input " in text else model_of(text, {"x": TYPES["x"]}, dims)
        dims, inputs = {**dims, **sizes}, {**inputs, **values}


def model_of(text: str, inputs: Mapping[str, str], dims: Mapping[str, int]) -> str:
    """The statements in a model, which gives out what they bind."""
    bound = [name for name in bound_names(text) if not name.startswith("_")]
    return "".join(
        [
            *(f"dim {name} = {size}\n" for name, size in dims.items()),
            "model Example {\n",
            *(f"  input {name}: {type}\n" for name, type in inputs.items()),
            *(f"  {line}\n" for line in text.rstrip().split("\n")),
            "" if "output " in text or not bound else f"  output {', '.join(bound)}\n",
            "}\n",
        ]
    )


def trained(settings: str) -> str:
    loss = "" if re.search(r"^loss\b", settings, re.MULTILINE) else "  loss = cross_entropy(logits, label)\n"
    lines = "".join(f"  {line}\n" for line in settings.rstrip().split("\n"))
    return f"{TRAINED}\ntrain Example {{\n{loss}{lines}}}\n"


def given(text: str) -> dict[str, str]:
    """Types that the first line gives."""
    found = GIVEN.match(text)
    return dict(re.findall(r"(\w+): *([\w()]+(?:\[[^\]]*\])?)", found[1])) if found else {}


def bound_names(text: str) -> list[str]:
    names = [name for group in BINDS.findall(text) for name in re.split(r", *", group)]
    no_output = r"target|(?:frozen +)?weight"
    return [
        name for name in dict.fromkeys(names) if not re.search(rf"^ *(?:{no_output}) +{name}\b", text, re.MULTILINE)
    ]


def announced(text: str) -> list[str]:
    """The codes that the comments of an example announce."""
    return sorted(set(ANNOUNCED.findall(text)))


def findings(text: str) -> tuple[Elaborated, list[Diagnostic]]:
    """A whole text read and elaborated, and what is said about it; files without errors are linted."""
    parsed = parse(Source("example.kmodel", text))
    elaborated = elaborate(parsed.tree)
    found = [*parsed.diagnostics, *elaborated.diagnostics]
    return elaborated, found or list(lint(parsed.tree, elaborated))


def gives(text: str, about: str = "") -> list[str]:
    """The codes that an example gives. A fragment is not linted: it leaves out what is not its subject."""
    _, found = findings(whole(text, about))
    fragment = whole(text, about) != text
    wanted = announced(text)
    return sorted({each.code for each in found if not fragment or each.code[0] == "E" or each.code in wanted})
