"""Messages about the parts with a fixed look: first lines of items, declarations, types, `repeat`, `for`, `if`."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.syntax.problems import shown
from kdsl.syntax.tokens import END, NAME_WORDS, RESERVED, Token
from kdsl.syntax.where import Where

LOOKS = {  # rule -> (what a message calls it, what it looks like in full)
    "import_": ("`import`", '`import ConvBn, Residual from "blocks/conv.kmodel"`'),
    "imported": ("an import", '`import ConvBn as Cb from "blocks/conv.kmodel"`'),
    "fn": ("`fn`", "`fn swish(x) = x * sigmoid(x)`"),
    "block": ("`block`", "`block Name(x: f32[C], out: int = C) -> f32[out] { ... }`"),
    "model": ("`model`", "`model Name(hidden: int = 128) { ... }`"),
    "train": ("`train`", "`train Name { ... }`"),
    "params": ("a list of parameters", "`(x: f32[C], out: int = C)`"),
    "param": ("a parameter", "`name: type` or `name: type = value`"),
    "input": ("`input`", "`input image: u8[28, 28]`"),
    "target": ("`target`", "`target label: index(10)`"),
    "weight": ("`weight`", "`weight gain: f32[D] = ones`"),
    "output": ("`output`", "`output logits` or `output probabilities = softmax(logits)`"),
    "type": ("a type", "`f32[28, 28]`, `index(10)` or `int`"),
    "shape": ("a shape", "`[28, 28]`"),
    "repeat": ("`repeat`", "`repeat 3 Residual` or `repeat 3 { conv(16) -> relu }`"),
    "for_": ("`for`", "`for width in [32, 64] { Residual(width) }`"),
    "each": ("`each`", "`each size in [3, 5] { conv(32, kernel = size) }`"),
    "choose": ("`if`", "`if deep then Residual else { conv(16) -> relu }`"),
    "choice": ("`if`", "`if out == C then x else x -> ConvBn(out)`"),
    "group": ("a group of settings", '`tune "stem.*" { lr_scale = 0.1 }`'),
    "names": ("`for`", "`for width, stride in [[32, 1], [64, 2]] { ... }`"),
}
ITEM_RULES = ("block", "model", "train", "fn")


def no_colon(w: Where) -> Diagnostic | None:
    """`input image f32[28]`."""
    declares = w.rule in ("input", "target", "weight", "param")
    if not declares or not w.accepts("COLON") or w.found.kind not in NAME_WORDS or w.previous is None:
        return None
    if w.following.kind == "COLON":  # `input big image: f32[28]`
        return None
    change = [(w.previous.stop, w.found.start, ": ")]
    message = f"a `:` is missing before the type {shown(w.found)}"
    return w.say("E113", message, w.found, f"write `{w.previous.text}: {w.found.text}`", change)


def header(w: Where) -> Diagnostic | None:
    """Whatever else is wrong in a part with a fixed look."""
    if w.rule not in LOOKS:
        return None
    if w.rule == "group" and w.begin.text == "from" and w.found.text == "import" and w.previous is not None:
        return names_first(w, w.previous)
    if w.rule == "names" and w.begin.kind == "OUTPUT":
        return unnamed_output(w)
    noun, look = LOOKS[w.rule]
    if w.found.kind in RESERVED and w.accepts("NAME"):
        message = f"{shown(w.found)} is a word of the language and cannot be a name"
        return w.say("E107", message, w.found, f"rename it, for instance `{w.found.text}_`")
    if w.rule in ITEM_RULES and w.accepts("LBRACE") and w.line_ended:
        return w.say("E118", f"the body of this `{w.begin.text}` does not start with `{{`", w.begin, look)
    if w.rule == "block" and w.accepts("ARROW") and w.found.kind in ("LBRACE", "_NL"):
        return w.say("E113", "a block states the type of its result", w.found, "for instance `) -> f32[C] {`")
    if w.rule in ("input", "target") and w.found.kind == "COMMA":
        message = f"{noun} declares one name"
        return w.say("E113", message, w.found, f"give each its own line: {look}")
    return w.say("E113", f"{noun} cannot go on with {shown(w.found)}", w.found, f"it looks like {look}")


def names_first(w: Where, file: Token) -> Diagnostic:
    """`from "blocks.kmodel" import Residual`."""
    names = w.text(w.i + 1, w.line_end()) or "Residual"
    line = f"import {names} from {file.text}"
    change = [(w.begin.start, w.tokens[w.line_end() - 1].stop, line)]
    return w.say("E113", "the names come first, then the file", w.begin, f"write `{line}`", change)


def unnamed_output(w: Where) -> Diagnostic:
    """`output softmax(logits)`."""
    start = w.low + 1
    if w.i != start + 1:
        return w.say(
            "E113", f"`output` cannot go on with {shown(w.found)}", w.found, f"it looks like {LOOKS['output'][1]}"
        )
    at, name = w.tokens[start], w.free_name()
    behind = next(k for k in range(start, w.line_end() + 1) if w.tokens[k].line != at.line or w.tokens[k].kind in END)
    value = w.text(start, behind)
    help = f"name it: `output {name} = {value if len(value) <= 60 else '...'}`"
    return w.say("E113", "this output has no name", at, help, [(at.start, at.start, f"{name} = ")])
