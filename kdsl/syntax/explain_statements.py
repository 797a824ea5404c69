"""Messages about how a statement starts, and about where one ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.suggest import nearest
from kdsl.syntax.problems import indentation, listed, quoted, shown
from kdsl.syntax.tokens import INFIX, ITEM_WORDS, NAME_WORDS, RESERVED, VALUE_STARTS
from kdsl.syntax.where import Where

ITEMS = ("import", "dim", "fn", "block", "model", "train")
STATEMENTS = ("input", "target", "weight", "frozen weight", "output", "return")
UNWORDED = frozenset({"INPUT", "TARGET", "WEIGHT", "OUTPUT", "FROZEN"})
TYPES = frozenset({"f32", "u8", "i32", "index", "bool", "int", "float", "word", "list", "layer"})
ABROAD = {
    "def": "fn", "func": "fn", "function": "fn", "class": "block", "layer": "block", "module": "block", "let": "",
    "var": "", "val": "", "const": "dim", "param": "weight", "parameter": "weight", "variable": "weight",
    "net": "model", "network": "model", "inputs": "input", "outputs": "output", "label": "target", "labels": "target",
    "include": "import", "using": "import", "from": "import",
}  # fmt: skip


def reserved_word(w: Where) -> Diagnostic | None:
    """A word of the language where a name is wanted."""
    found = w.found
    starts = w.previous is None
    names_follow = w.following.kind in ("EQUAL", "COLON", "COMMA", "RPAR")
    if found.kind not in RESERVED or w.wants_value:
        return None
    if not (names_follow if starts else w.accepts("NAME")):
        return None
    if found.kind in ("IF", "REPEAT", "FOR") and w.accepts(found.kind):
        return None
    message = f"`{found.text}` is a word of the language and cannot be a name"
    return w.say("E107", message, found, f"rename it, for instance `{found.text}_`")


def statement_start(w: Where) -> Diagnostic | None:
    """The very first token of a statement."""
    if w.previous is not None:
        return None
    found = w.found
    if found.kind in INFIX | {"ARROW", "AS", "THEN", "ELSE", "EQUAL"}:
        message = f"a statement cannot start with {shown(found)}"
        return w.say("E112", message, found, "it starts with a name or a word such as `input`")
    if found.kind in ITEM_WORDS and not w.top:
        return None
    if w.top:
        return w.say("E112", f"nothing here starts with {shown(found)}", found, f"a file holds {listed(ITEMS)}")
    if found.kind in VALUE_STARTS - NAME_WORDS or found.kind in ("IF", "FOR", "REPEAT", "MINUS"):
        name = w.free_name()
        change = [(found.start, found.start, f"{name} = ")]
        return w.say("E119", "this value has no name", found, f"bind it: `{name} = ...`", change)
    message = f"a statement cannot start with {shown(found)}"
    return w.say("E112", message, found, "it starts with a name or a word such as `input`")


def unknown_word(w: Where, known: Sequence[str], lead: str) -> Diagnostic:
    """`inputs image: ...`, `def f(x) = ...`."""
    text = w.begin.text
    meant = ABROAD.get(text.lower())
    message = f"I do not know the word {quoted(text)}"
    if w.found.kind == "LPAR" and known is ITEMS and meant is None:
        return headless(w)
    if meant == "" and w.top:
        meant = "dim"
    if meant == "":
        change = [(w.begin.start, w.found.start, "")]
        return w.say("E112", message, w.begin, f"a value is bound without it: `{w.found.text} = ...`", change)
    if text == "class" and any(token.text in ("Module", "Model") for token in w.tokens[w.i : w.line_end()]):
        meant = "model"
    near = [meant] if meant else nearest(text, known, 1)
    if not near:
        return w.say("E112", message, w.begin, f"{lead} {listed(known)}")
    foreign = w.tokens[w.line_end() - 1].kind == "COLON"  # `class Net(nn.Module):` takes more than one word
    change = [] if foreign else [(w.begin.start, w.begin.stop, near[0])]
    return w.say("E112", message, w.begin, f"did you mean `{near[0]}`?", change)


def headless(w: Where) -> Diagnostic:
    """`Residual(x: f32[C]) -> f32[C] {`, `Digits(hidden: int = 3) {`, `swish(x) = ...`."""
    text, kinds = w.begin.text, [token.kind for token in w.tokens[w.i : w.line_end()]]
    message = f"`{text}(...)` needs a word before it"
    if "LBRACE" in kinds:
        word = "block" if "ARROW" in kinds else "model"
    elif "EQUAL" in kinds and w.tokens[w.closing(w.i) + 1].kind == "EQUAL":
        word = "fn"
    else:
        return w.say("E112", message, w.begin, f"`block {text}(...)` or `fn {text}(...)`")
    change = [(w.begin.start, w.begin.start, f"{word} ")]
    return w.say("E112", message, w.begin, f"did you mean `{word} {text}(...)`?", change)


def statement_second(w: Where) -> Diagnostic | None:
    """A statement that starts with a name must go on with `=`."""
    begin, found = w.begin, w.found
    at_name = w.rule in ("names", "let", "group", "body", "start")
    if len(w.read()) != 1 or begin.kind not in NAME_WORDS or not at_name or begin.kind in UNWORDED:
        return None
    text = begin.text
    if w.top and found.kind in NAME_WORDS | {"LPAR", "LBRACE"}:
        return unknown_word(w, ITEMS, "a file holds")
    if found.kind in INFIX | {"ARROW", "LPAR", "DOT", "LSQB"}:
        name = w.free_name()
        shape = f"{name} = {text} -> ..." if found.kind == "ARROW" else f"{name} = {text}{found.text}..."
        change = [(begin.start, begin.start, f"{name} = ")]
        return w.say("E119", "this value has no name", begin, f"bind it: `{shape}`", change)
    if found.kind in NAME_WORDS and text == "tune":
        change = [(found.start, found.stop, f'"{found.text}.*"')]
        help = f"""write `tune "{found.text}.*" {{ ... }}`: all weights whose names start so"""
        return w.say("E113", "`tune` takes a pattern in quotes", found, help, change)
    if found.kind in NAME_WORDS:
        return unknown_word(w, STATEMENTS, "statements are `name = value`,")
    if found.kind == "COLON":
        return typed_value(w)
    if w.line_ended:
        return w.say("E105", f"{quoted(text)} alone says nothing", begin, f"write `{text} = ...`")
    return w.say("E112", f"{quoted(text)} must be followed by `=`", found, f"write `{text} = ...`")


def typed_value(w: Where) -> Diagnostic:
    """`y: f32[10] = x`, `lr: 0.1`, `image: f32[28]`."""
    text = w.begin.text
    message = f"`{text}` is given a type here, and only `input`, `target`, `weight` and parameters have one"
    help = f"write `{text} = ...` for a value, `input {text}: ...` for an input"
    end = w.flow_end(w.i + 1)
    equal = next((k for k in range(w.i, end) if w.tokens[k].kind == "EQUAL"), None)
    if equal is None and w.following.kind in VALUE_STARTS and w.following.text not in TYPES:
        change = [(w.found.start, w.found.stop, " =")]
        return w.say(
            "E115", "a value is given with `=`", w.found, f"write {quoted(f'{text} = {w.text(w.i + 1, end)}')}", change
        )
    if equal is not None:
        change = [(w.found.start, w.tokens[equal].start, " ")]
        return w.say("E115", message, w.found, help, change)
    return w.say("E115", message, w.found, help)


def names_alone(w: Where) -> Diagnostic | None:
    """`a, b` and nothing more."""
    kinds = [token.kind for token in w.read()]
    listing = (
        len(kinds) > 1
        and kinds[1] == "COMMA"
        and kinds[0] in NAME_WORDS
        and all(k == "COMMA" or k in NAME_WORDS for k in kinds)
    )
    if not listing or w.rule not in ("names", "let", "body", "start"):
        return None
    text = ", ".join(token.text for token in w.read() if token.kind != "COMMA")
    if w.line_ended:
        return w.say("E105", f"{quoted(text)} alone says nothing", w.begin, f"`output {text}` or `{text} = ...`")
    message = f"{quoted(text)} must be followed by `=`, not {shown(w.found)}"
    return w.say("E112", message, w.found, f"write `{text} = ...`")


def after_body(w: Where) -> Diagnostic | None:
    """Something behind the `}` of a body."""
    if w.previous is None or w.previous.kind != "RBRACE" or not w.accepts("_NL"):
        return None
    message = f"nothing may follow `}}` in its line, and here is {shown(w.found)}"
    if w.found.kind not in NAME_WORDS:
        return w.say("E106", message, w.found)
    change = [(w.found.start, w.found.start, "\n" + indentation(w.source, w.begin.start))]
    return w.say("E106", message, w.found, f"put {shown(w.found)} on a line of its own", change)


def one_a_line(w: Where) -> Diagnostic | None:
    """`output a, b = f(x)`, `output a = f(x), b = g(x)`, `h = f(x), k = g(x)`."""
    if w.rule == "output" and w.found.kind == "EQUAL":
        message = "an `output` with a value names one output"
        return w.say("E112", message, w.found, "give each its own line: `output a = ...`")
    if w.found.kind != "COMMA" or w.begin.kind == "RETURN":
        return None
    bound = w.following.kind in NAME_WORDS and w.i + 2 < len(w.tokens) and w.tokens[w.i + 2].kind == "EQUAL"
    if not bound or w.rule not in ("output", "let", "pipe", "layer", "choice", "dim"):
        return None
    lead = w.begin.text + " " if w.begin.kind in ("OUTPUT", "DIM") else ""
    change = [(w.found.start, w.following.start, "\n" + indentation(w.source, w.begin.start) + lead)]
    if lead:
        what = f"`{lead}name = ...` names one {'output' if w.begin.kind == 'OUTPUT' else 'size'}"
        return w.say("E112", what, w.found, f"one `{lead.strip()}` line each", change)
    return w.say("E106", "each value has a line of its own", w.found, "start a new line here", change)
