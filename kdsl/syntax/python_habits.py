"""Habits of programs: a model says what is computed, and has no loops, classes, modules or formulas without a name."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.syntax.problems import quoted
from kdsl.syntax.tokens import NAME_WORDS
from kdsl.syntax.where import Where

NOTHING = "a model only says what is computed from what"
WORDS = {
    "while": "`repeat n { ... }` makes copies of steps, and training runs for `epochs`",
    "print": "`kdsl summary` shows layers and shapes",
    "assert": "shapes and types are checked by the compiler",
    "elif": "write `h = if a then x else if b then y else z`",
    "switch": "write `h = if a then x else if b then y else z`",
    "try": NOTHING,
    "except": NOTHING,
    "with": NOTHING,
    "raise": NOTHING,
    "del": NOTHING,
    "global": NOTHING,
    "async": NOTHING,
    "yield": NOTHING,
}
FUNCTIONS = frozenset({"def", "func", "function"})
PREFIXES = frozenset({"f", "r", "b", "u", "rb", "br", "fr", "rf"})
OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "AT", "POWER"})


def program_word(w: Where) -> Diagnostic | None:
    """`while x:`, `print(x)`."""
    text = w.begin.text
    if len(w.read()) != 1 or text not in WORDS or w.found.kind in ("EQUAL", "COMMA", "ARROW"):
        return None
    return w.say("E112", f"there is no `{text}`", w.begin, WORDS[text])


def function(w: Where) -> Diagnostic | None:
    """`def f(x):`."""
    if len(w.read()) != 1 or w.begin.text not in FUNCTIONS or w.found.kind not in NAME_WORDS:
        return None
    opening = w.i + 1
    if w.tokens[opening].kind == "LPAR" and w.tokens[w.closing(opening) + 1].kind == "EQUAL":
        return None  # one word is wrong, and nothing else
    name = w.found.text
    block = name[:1].upper() + name[1:]
    help = f"a formula is `fn {name}(x) = ...`; layers under a name are `block {block}(x: f32[C]) -> f32[C] {{ ... }}`"
    return w.say("E112", f"I do not know the word `{w.begin.text}`", w.begin, help)


def anonymous(w: Where) -> Diagnostic | None:
    """`lambda x: x * 2`."""
    at = next((k for k in (w.i - 1, w.i, w.i + 1) if w.low <= k < len(w.tokens) and w.tokens[k].text == "lambda"), None)
    if at is None or w.tokens[at + 1].kind not in NAME_WORDS:
        return None
    colon = next((k for k in range(at + 1, w.line_end()) if w.tokens[k].kind == "COLON"), None)
    if colon is None:
        return None
    named = w.begin.kind == "FN" and w.i - w.low >= 1 and w.tokens[w.low + 1].kind in NAME_WORDS
    name = w.tokens[w.low + 1].text if named else "f"
    text = f"fn {name}({w.text(at + 1, colon)}) = {w.text(colon + 1, w.flow_end(colon + 1))}"
    use = "" if named else f" outside of the model, and use it as `{name}`"
    return w.say("E112", "a formula has a name", w.tokens[at], f"write {quoted(text)}{use}")


def letter_before_text(w: Where) -> Diagnostic | None:
    """`f"blocks/{name}.kmodel"`."""
    found, text = w.found, w.following
    if found.text.lower() not in PREFIXES or text.kind != "STRING" or text.start != found.stop:
        return None
    change = [(found.start, found.stop, "")]
    return w.say("E108", "a text has no letter before it", found, "nothing is put into a text: remove it", change)


def modules(w: Where) -> Diagnostic | None:
    """`from blocks import ConvBn`, `import numpy as np`."""
    example = '`import ConvBn from "blocks/conv.kmodel"`'
    if w.begin.kind == "FROM" and w.top and len(w.read()) == 1:
        line = w.tokens[w.low : w.line_end()]
        at = next((k for k, token in enumerate(line) if token.kind == "IMPORT"), 0)
        names = "".join(f" {token.text}" if token.kind != "COMMA" else "," for token in line[at + 1 :]).strip()
        path = "/".join(token.text for token in line[1:at] if token.kind != "DOT")
        help = f"write {quoted(f'import {names} from {chr(34)}{path}.kmodel{chr(34)}')}" if at and path else example
        return w.say("E112", "an import begins with what is imported", w.begin, help)
    if w.begin.kind == "IMPORT" and w.line_ended and not any(token.kind == "FROM" for token in w.read()):
        message = "this `import` does not say from which file"
        return w.say("E113", message, w.begin, f"blocks, formulas and sizes come from model files: {example}")
    return None


def changed_value(w: Where) -> Diagnostic | None:
    """`h += 3`."""
    adjacent = w.following.kind == "EQUAL" and w.following.start == w.found.stop
    if len(w.read()) != 1 or w.found.kind not in OPERATORS or not adjacent or w.begin.kind not in NAME_WORDS:
        return None
    text = f"{w.free_name()} = {w.begin.text} {w.found.text}"
    change = [(w.begin.start, w.following.stop, text)]
    message = f"a value never changes, and there is no `{w.found.text}=`"
    return w.say("E112", message, w.found, f"bind a new name: `{text} ...`", change)


def dotted_name(w: Where) -> Diagnostic | None:
    """`self.fc = dense(10)`."""
    if len(w.read()) != 1 or w.found.kind != "DOT" or w.begin.kind not in NAME_WORDS:
        return None
    k = w.i
    while w.tokens[k].kind == "DOT" and w.tokens[k + 1].kind in NAME_WORDS:
        k += 2
    if w.tokens[k].kind != "EQUAL":
        return None
    name = w.tokens[k - 1].text
    help = f"a value is `{name} = ...`; a layer stands where it is used: `h = x -> dense(10) as {name}`"
    return w.say("E112", "a name has no dots", w.found, help)


def sequential(w: Where) -> Diagnostic | None:
    """`nn.Sequential(nn.Linear(4, 10), nn.ReLU())`."""
    if w.found.kind not in ("DOT", "LPAR"):
        return None
    at = next((token for token in w.tokens[w.low : w.i + 4] if token.text == "Sequential"), None)
    if at is None:
        return None
    return w.say("E112", "there is no `Sequential`: arrows put layers in a row", at, "`h = x -> dense(10) -> relu`")


def tuple_of_one(w: Where) -> Diagnostic | None:
    """`shape = (28,)`."""
    if w.found.kind != "RPAR" or w.previous is None or w.previous.kind != "COMMA":
        return None
    opening = w.opening(w.i)
    if opening <= w.low or w.tokens[opening - 1].kind in NAME_WORDS:
        return None
    text = f"[{w.text(opening + 1, w.i - 1)}]"
    change = [(w.tokens[opening].start, w.found.stop, text)]
    message = "a list stands in square brackets"
    return w.say("E124", message, w.tokens[opening], f"write {quoted(text)}", change)
