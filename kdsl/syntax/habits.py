"""Habits of Python, Keras and PyTorch: the message prints the line as kdsl writes it."""

from __future__ import annotations

import re

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.syntax.problems import quoted
from kdsl.syntax.tokens import END, INFIX, NAME_WORDS
from kdsl.syntax.where import Where

MODULES = frozenset(["self", "nn", "F", "torch", "tf", "keras", "layers", "K", "np", "jnp", "jax", "functional"])
RENAMED = {"Linear": "dense", "Embedding": "embed", "Concatenate": "concat", "BatchNormalization": "batch_norm",
           "LayerNormalization": "layer_norm", "MultiHeadAttention": "attention"}  # fmt: skip
DIMENSIONS = re.compile(r"(?<=[a-z])[123][dD]$")


def kdsl_name(text: str) -> str:
    """`Dense` -> `dense`, `MaxPool2D` -> `max_pool`, `Conv2d` -> `conv`: a guess, in the style of the language."""
    if text in RENAMED:
        return RENAMED[text]
    text = text.replace("ReLU", "Relu")
    short = DIMENSIONS.sub("", text).replace("Pooling", "Pool")
    if short.isupper():
        return short.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", short).lower()


def layer_text(name: str, arguments: str) -> str:
    """A layer as it stands after an arrow; the sizes of what flows in are known and not repeated."""
    if name in ("Embedding", "Linear") and "," in arguments:
        arguments = arguments.split(",", 1)[1].strip()
    return f"{kdsl_name(name)}({arguments})" if arguments.strip() else kdsl_name(name)


def ternary(w: Where) -> Diagnostic | None:
    """`a if c else b`."""
    if w.found.kind != "IF" or not (w.after_value or w.after_step):
        return None
    middle = w.flow_end(w.i + 1)
    first = w.pipe_start(w.i)
    if w.tokens[middle].kind != "ELSE" or first >= w.i:
        return None
    end = w.flow_end(middle + 1)
    condition, otherwise = w.text(w.i + 1, middle), w.text(middle + 1, end)
    text = f"if {condition} then {w.text(first, w.i)} else {otherwise}"
    change = [(w.tokens[first].start, w.tokens[end - 1].stop, text)]
    return w.say("E117", "the condition comes first", w.found, f"write {_line(text)}", change if otherwise else [])


def loop(w: Where) -> Diagnostic | None:
    """`for w in (32, 64):` as a statement."""
    if w.previous is not None or w.found.kind not in ("FOR", "REPEAT", "IF") or w.top:
        return None
    end = w.flow_end(w.i + 1)
    word = w.found.text
    if w.found.kind == "IF":
        if w.tokens[end].kind != "COLON":
            return None
        return w.say("E112", "`if` is part of a value", w.found, "write `h = if condition then a else b`")
    values = w.text(w.i + 1, end)
    values = re.sub(r"\bin \((.*)\)$", r"in [\1]", values)
    counted = re.fullmatch(r"\w+ in range\((\w+)\)", values)
    head = f"repeat {counted[1]}" if counted else f"{word} {values}"
    stands = w.following.kind in NAME_WORDS | {"INT"} and (word == "repeat" or " in " in values)
    if not stands or "{" in head or "->" in head or "\n" in head:
        return None
    help = f"it is a step of a flow: `h = x -> {head} {{ ... }}`"
    return w.say("E112", f"`{word}` does not start a statement", w.found, help)


def called_layer(w: Where) -> Diagnostic | None:
    """`Dense(10)(x)`."""
    if w.found.kind != "LPAR" or w.previous is None or w.previous.kind != "RPAR":
        return None
    opening = w.opening(w.i - 1)
    if opening <= w.low or w.tokens[opening - 1].kind not in NAME_WORDS:
        return None
    first = opening - 1
    while first - 2 >= w.low and w.tokens[first - 1].kind == "DOT" and w.tokens[first - 2].kind in NAME_WORDS:
        first -= 2
    closing = w.closing(w.i)
    inputs = w.text(w.i + 1, closing)
    if inputs[:1] == "[" and inputs[-1:] == "]" and w.closing(w.i + 1) == closing - 1:
        inputs = f"({inputs[1:-1]})"
    layer = layer_text(w.tokens[opening - 1].text, w.text(opening + 1, w.i - 1))
    before, behind = w.tokens[first - 1].kind if first > w.low else "EQUAL", w.tokens[closing + 1].kind
    text = f"{inputs} -> {layer}"
    if before in INFIX or behind in INFIX:
        text = f"({text})"
    named = before in ("EQUAL", "RETURN", "COMMA", "LPAR", "LSQB", "THEN", "ELSE") or before in INFIX
    plain = named and inputs and behind != "LPAR" and not any(k.kind in INFIX for k in w.tokens[w.i + 1 : closing])
    change = [(w.tokens[first].start, w.tokens[closing].stop, text)] if plain else []
    return w.say("E126", "a layer takes its input from an arrow", w.found, f"write {_line(text)}", change)


def method(w: Where) -> Diagnostic | None:
    """`x.embed(D)`, `self.fc(x)`, `F.relu(x)`."""
    if w.found.kind != "LPAR" or w.previous is None or w.previous.kind not in NAME_WORDS:
        return None
    first = w.i - 1
    while first - 2 >= w.low and w.tokens[first - 1].kind == "DOT" and w.tokens[first - 2].kind in NAME_WORDS:
        first -= 2
    before = w.tokens[first - 1].kind if first > w.low else "EQUAL"
    if first == w.i - 1 or before == "ARROW":
        return None
    owner, dot, closing = w.tokens[first], w.tokens[first + 1], w.closing(w.i)
    if owner.text in MODULES and w.tokens[closing + 1].kind == "LPAR":
        opening, applied = closing + 1, w.closing(closing + 1)
        layer = layer_text(w.tokens[w.i - 1].text, w.text(w.i + 1, closing))
        text = f"{w.text(opening + 1, applied)} -> {layer}"
        span, closing = (owner.start, w.tokens[applied].stop), applied
        message = "a layer takes its input from an arrow"
    elif owner.text in MODULES:
        inputs, name = w.text(w.i + 1, closing), w.tokens[w.i - 1].text
        text = f"{inputs} -> {kdsl_name(name)}" if owner.text == "self" else f"{kdsl_name(name)}({inputs})"
        span = (owner.start, w.tokens[closing].stop)
        message = f"functions and layers have no `{owner.text}.` before them"
    else:
        steps, closing = _methods(w, first, closing)
        owned = w.text(first, w.i - 2)
        text = f"{owned} -> {steps}"
        span = (owner.start, w.tokens[closing].stop)
        message = "values have no methods"
    behind = w.tokens[closing + 1].kind
    if "->" in text and (before in INFIX or behind in INFIX):
        text = f"({text})"
    fits = w.tokens[closing + 1].kind not in ("DOT", "LPAR", "LSQB") and first > w.low
    simple = not any(token.kind in INFIX for token in w.tokens[w.i + 1 : closing]) or "->" not in text
    return w.say("E126", message, dot, f"write {_line(text)}", [(*span, text)] if fits and simple else [])


def _methods(w: Where, first: int, closing: int) -> tuple[str, int]:
    """`.embed(D).relu()` as steps, and the index of its last parenthesis."""
    opening = w.i
    steps = [layer_text(w.tokens[opening - 1].text, w.text(opening + 1, closing))]
    while w.tokens[closing + 1].kind == "DOT" and w.tokens[closing + 3].kind == "LPAR":
        opening = closing + 3
        closing = w.closing(opening)
        steps.append(layer_text(w.tokens[opening - 1].text, w.text(opening + 1, closing)))
    return " -> ".join(steps), closing


def dotted_layer(w: Where) -> Diagnostic | None:
    """`-> nn.Linear(10, 20)`, `-> tf.keras.layers.Dense(10)`."""
    if w.found.kind != "DOT" or not w.after_step or w.previous is None or w.previous.kind not in NAME_WORDS:
        return None
    if w.tokens[w.i - 2].kind not in ("ARROW", "LBRACE") or w.following.kind not in NAME_WORDS:
        return None
    opening = w.i + 2
    while w.tokens[opening].kind == "DOT" and w.tokens[opening + 1].kind in NAME_WORDS:  # `keras.layers.Dense`
        opening += 2
    name = w.tokens[opening - 1]
    called = w.tokens[opening].kind == "LPAR"
    closing = w.closing(opening) if called else opening - 1
    layer = layer_text(name.text, w.text(opening + 1, closing) if called else "")
    change = [(w.previous.start, w.tokens[closing].stop, layer)]
    return w.say("E126", "a layer's name has no dot", w.found, f"write {_line(f'-> {layer}')}", change)


def missing_arrow(w: Where) -> Diagnostic | None:
    """A line below a flow that starts with the name of a layer."""
    begin = w.begin
    follows = w.found.kind in END | {"LPAR", "ARROW", "AS", "RBRACE"}
    if len(w.read()) != 1 or begin.kind != "NAME" or not follows or w.low < 2 or w.top:
        return None
    if w.tokens[w.low - 1].kind != "_NL" or begin.text in w.bound():
        return None
    above = w.low - 2
    while above > 0 and w.tokens[above].kind not in ("_NL", "LBRACE"):
        above -= 1
    flow = [token.kind for token in w.tokens[above : w.low]]
    deeper = begin.column > w.tokens[above + 1].column
    if "EQUAL" not in flow or not ("ARROW" in flow or deeper):
        return None
    message = f"the arrow before {quoted(begin.text)} is missing"
    change = [(begin.start, begin.start, "-> ")]
    return w.say("E128", message, begin, f"did you forget `->`? write `-> {begin.text}`", change)


def _line(text: str) -> str:
    """The text in backticks, in one line."""
    return "`" + re.sub(r"[ \t]*\n[ \t]*", " ", text) + "`"
