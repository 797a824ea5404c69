"""Messages about values and flows: operators, arrows, commas, brackets, `if`."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.syntax.explain_headers import LOOKS
from kdsl.syntax.problems import indentation, quoted, shown
from kdsl.syntax.tokens import CLOSER, END, INFIX, LITERALS, NAME_WORDS, VALUE_ENDS
from kdsl.syntax.where import FLOW_STARTS, Where

SIDES = FLOW_STARTS | {"COMPARE", "AND", "OR", "NOT"}
LONGEST = 80  # a comparison that a message writes out
STATEMENT_RULES = ("let", "output", "import_", "return_", "block", "names", "dim", "pipe", "layer", "choice")
PARTS = {  # rule -> (code, what a message calls it, an example)
    "args": ("E121", "arguments", "`dense(10)`, `conv(32, kernel = 3)`"),
    "call": ("E121", "a call", "`mean(x, axis = -1)`"),
    "keyword": ("E121", "an argument", "`kernel = 3`"),
    "list": ("E122", "a list", "`[32, 64]`"),
    "index": ("E123", "an index", "`x[0]`, `x[:, -1]`, `x[1:T]`"),
    "slice": ("E123", "an index", "`x[0]`, `x[:, -1]`, `x[1:T]`"),
    "tuple": ("E124", "several values in parentheses", "`(a, b) -> concat`"),
    "parens": ("E124", "parentheses", "`(a + b)`"),
    "chain": ("E125", "steps in braces", "`{ conv(16) -> relu }`"),
    "layer": ("E126", "a layer", "`-> dense(10) as head`"),
    "pipe": ("E126", "a flow", "`x -> dense(10) -> relu`"),
    "let": ("E127", "a value", "`h = a + b` or `h = x -> dense(10)`"),
    "return_": ("E127", "`return`", "`return value`"),
    "dim": ("E113", "`dim`", "`dim T = 128`"),
}
ELSEWHERE = ("E112", "a file or a body", "`model Name { ... }`, or `h = image -> dense(10)` in a line of its own")
CHARACTERS = {
    "\\": ("lines are not joined with a backslash", "a line that starts with `->` or an operator goes on from above"),
    "%": ("there is no `%`", "sizes divide exactly with `/`"),
    "?": ("there is no `?`", "write `if ... then ... else ...`"),
    "|": ("`|` has no meaning here", "values flow with `->`, conditions are joined with `or`"),
    "&": ("`&` has no meaning here", "conditions are joined with `and`"),
}


def broken_token(w: Where) -> Diagnostic | None:
    """Something that is no token of the language."""
    found, text = w.found, w.found.text
    if found.kind == "BAD_NUMBER":
        message = f"{quoted(text)} is neither a number nor a name"
        return w.say("E110", message, found, "names start with a letter, numbers are written `20_000`, `0.5`, `1e-3`")
    if found.kind == "BAD_CHAR":
        number = w.previous
        if text == "%" and number is not None and number.kind in ("INT", "FLOAT") and number.stop == found.start:
            share = f"{float(number.text.replace('_', '')) / 100:g}"
            change = [(number.start, found.stop, share)]
            return w.say("E109", "there is no `%`", found, f"write `{share}` for `{number.text}%`", change)
        if text in CHARACTERS:
            return w.say("E109", CHARACTERS[text][0], found, CHARACTERS[text][1])
        if text in "'\"\u201c\u2018\u201d\u2019":
            return w.say("E111", "this text is not closed", found, "text stands in straight double quotes")
        name = f"`{text}`" if text.isprintable() else f"U+{ord(text):04X}"
        help = "names are made of the letters A-Z a-z, digits and `_`"
        return w.say("E109", f"{name} has no meaning here", found, help)
    if found.kind in ("REFUSED", "UNTERMINATED"):
        return w.say("E127", f"{shown(found)} cannot be read", found)
    return None


def line_ended(w: Where) -> Diagnostic | None:
    """The line, or a bracket, ended too early."""
    found, previous = w.found, w.previous
    closes = found.kind in CLOSER | END | {"COMMA", "THEN", "ELSE", "EQUAL", "COLON", "LBRACE"}
    if not closes or previous is None:
        return None
    ended = w.line_ended
    if previous.kind == "ARROW" and w.rule != "block":
        if ended:
            help, changes = moved_down(w)
            return w.say("E105", "the line ends with an arrow", previous, help, changes)
        return w.say("E105", f"a layer must follow `->`, not {shown(found)}", found, "for instance `-> dense(10)`")
    if previous.kind in INFIX | {"NOT"} and (ended or found.kind in CLOSER | {"COMMA", "THEN", "ELSE"}):
        help = "a long value goes on in a line that starts with the operator" if ended else ""
        return w.say("E105", f"a value must follow `{previous.text}`", previous, help)
    if previous.kind == "EQUAL" and (ended or found.kind in CLOSER | {"COMMA"}):
        return no_value(w)
    if previous.kind == "COMMA" and ended and w.rule in STATEMENT_RULES:
        return w.say("E105", "the line ends with a comma", previous, "remove it", [(previous.start, previous.stop, "")])
    if found.kind == "COMMA":
        if previous.kind in ("COMMA", "LPAR", "LSQB"):
            change = [(found.start, found.stop, "")]
            return w.say("E114", "nothing stands before this comma", found, "remove the comma", change)
        if w.following.kind in END | {"RBRACE"} and w.rule in STATEMENT_RULES:
            change = [(found.start, found.stop, "")]
            return w.say("E105", "the line ends with a comma", found, "remove it", change)
    return None


def moved_down(w: Where) -> tuple[str, list[tuple[int, int, str]]]:
    """Arrows at line ends go to the starts of the next lines, where deeper lines follow; else the arrow goes."""
    changes: list[tuple[int, int, str]] = []
    tokens, k = w.tokens, w.i
    while tokens[k].kind == "_NL" and tokens[k - 1].kind == "ARROW" and tokens[k + 1].column > w.begin.column:
        arrow, behind = tokens[k - 1], tokens[k + 1]
        changes += [(tokens[k - 2].stop, arrow.stop, ""), (behind.start, behind.start, "-> ")]
        k = next(n for n in range(k + 1, len(tokens)) if tokens[n].kind in END)
    if changes:
        return "put the arrow at the start of the next line", changes
    arrow = tokens[w.i - 1]
    return "put the arrow at the start of the next line, or remove it", [(tokens[w.i - 2].stop, arrow.stop, "")]


def no_value(w: Where) -> Diagnostic:
    """`logits =` and the value, if any, in the next line."""
    previous = w.previous
    assert previous is not None
    if not w.line_ended:
        return w.say("E105", "a value must follow `=`", previous)
    behind = w.tokens[w.i + 1] if w.tokens[w.i].kind == "_NL" else None
    deeper = behind is not None and behind.column > w.begin.column
    changes = [(previous.stop, behind.start, " ")] if behind is not None and deeper else []
    return w.say("E105", "a value must follow `=`", previous, "the value starts in the same line", changes)


def operator_after_step(w: Where) -> Diagnostic | None:
    """`x -> conv(3) + y`."""
    found = w.found
    if not w.after_step or not (found.kind in INFIX or found.kind in ("LSQB", "DOT")):
        return None
    what = "an index" if found.kind == "LSQB" else shown(found)
    first = w.pipe_start(w.i)
    flow = w.text(first, w.i)
    among_steps = first > w.low and w.tokens[first - 1].kind == "LBRACE"
    if "\n" in flow or len(flow) > 60 or among_steps:
        flow = "x -> layer"
    rest = found.text if found.kind in ("LSQB", "DOT") else f" {found.text} "
    start, stop = w.tokens[first].start, w.tokens[w.i - 1].stop
    changes = [(start, start, "("), (stop, stop, ")")] if found.kind != "DOT" and not among_steps else []
    help = f"put the flow in parentheses: `({flow}){rest}...`"
    return w.say("E101", f"a layer cannot be followed by {what}", found, help, changes)


def arrow_after_operator(w: Where) -> Diagnostic | None:
    """`a + b -> layer`, `x -> -> layer`, `h = -> layer`."""
    found, previous = w.found, w.previous
    if found.kind != "ARROW" or w.after_step:
        return None
    if w.after_value:
        return two_readings(w)
    if previous is not None and previous.kind == "ARROW":
        change = [(found.start, w.following.start, "")]
        return w.say("E105", "a layer must follow `->`, not another arrow", found, "remove one arrow", change)
    if previous is not None and (previous.kind == "EQUAL" or previous.kind in INFIX):
        return w.say("E105", f"a value must follow `{previous.text}`", found, "for instance `h = x -> dense(10)`")
    return None


def two_readings(w: Where) -> Diagnostic:
    """`a + b -> layer` may mean either; both are shown, none is chosen."""
    first, last, end = w.flow_start(w.i), w.operand_start(w.i), w.flow_end(w.i)
    whole, operand = w.text(first, w.i), w.text(last, w.i)
    before, rest = w.source.text[w.tokens[first].start : w.tokens[last].start], w.text(w.i, end)
    if "\n" in whole + rest or len(whole + rest) > 80 or not before.strip() or end == w.i + 1:
        help = "put what flows into the layer in parentheses: `(a + b) -> layer`, or `a + (b -> layer)`"
    else:
        help = f"`({whole}) {rest}` feeds all of it, `{before}({operand} {rest})` feeds `{operand}` alone"
    return w.say("E102", "`->` takes one value, not a sum or product", w.found, help)


def chained(w: Where) -> Diagnostic | None:
    """`0 < x < 1`; and `batch = 32 epochs = 10`, where `32 epochs` has become one thing."""
    found, previous = w.found, w.previous
    if previous is None:
        return None
    if found.kind == "COMPARE" and previous.kind in VALUE_ENDS and not w.after_step:
        return chain(w)
    if found.kind == "EQUAL" and previous.kind == "QUANTITY":
        unit = previous.text.split()[-1]
        start = previous.stop - len(unit)
        change = [(start, start, "\n" + indentation(w.source, w.begin.start))]
        return w.say("E106", f"`{unit}` starts a new statement", found, f"put `{unit}` on a line of its own", change)
    return None


def chain(w: Where) -> Diagnostic:
    """`a < b < c`: what stands between two comparisons is written twice."""
    start, k = w.flow_start(w.i, SIDES), w.i
    first = w.flow_start(start - 1, SIDES) if start > w.low and w.tokens[start - 1].kind == "COMPARE" else start
    whole, changes = w.text(first, k), []
    while w.tokens[k].kind == "COMPARE":
        middle, end = w.text(start, k), w.flow_end(k + 1, SIDES)
        changes.append((w.tokens[k].start, w.tokens[k].start, f"and {middle} "))
        whole = f"{whole} and {middle} {w.text(k, end)}"
        start, k = k + 1, end
    if first == w.flow_start(w.i, SIDES) or start == k or "\n" in whole or len(whole) > LONGEST:
        return w.say("E116", "comparisons do not chain", w.found, "write `a < b and b < c`")
    if first > w.low and w.tokens[first - 1].kind == "NOT":
        whole = f"({whole})"
        changes = [(w.tokens[first].start, w.tokens[first].start, "("), *changes]
        changes += [(w.tokens[k - 1].stop, w.tokens[k - 1].stop, ")")]
    return w.say("E116", "comparisons do not chain", w.found, f"write `{whole}`", changes)


def value_missing(w: Where) -> Diagnostic | None:
    previous = w.previous
    if previous is not None and w.wants_value and (previous.kind in INFIX or previous.kind in ("EQUAL", "NOT")):
        return w.say("E105", f"a value must follow `{previous.text}`, not {shown(w.found)}", w.found)
    if w.found.kind == "EQUAL" and w.after_value and w.rule != "output":
        message = "`=` binds a name to a value, and this is not a name"
        change = [(w.found.start, w.found.stop, "==")]
        condition = any(token.kind == "IF" for token in w.read())
        return w.say("E127", message, w.found, "`==` compares", change if condition else [])
    return None


def tuple_without_layer(w: Where) -> Diagnostic | None:
    """`kernel = (3, 3)`, `both = (x, y)`."""
    if w.rule != "tuple" or w.previous is None or w.previous.kind != "RPAR":
        return None
    opening = w.opening(w.i - 1)
    inner = w.tokens[opening + 1 : w.i - 1]
    numbers = all(token.kind in LITERALS | {"COMMA", "MINUS"} for token in inner)
    before = w.tokens[opening - 1].kind
    nested = next((r for r in w.enclosing[1:] if r in ("args", "keyword", "list", "for_", "each", "body")), "body")
    if not numbers and nested == "body" and before != "IN":
        message = "several values in parentheses must flow into a layer"
        return w.say("E124", message, w.previous, "for instance `(a, b) -> concat`")
    left, right = w.tokens[opening], w.previous
    text = w.text(opening + 1, w.i - 1)
    changes = [(left.start, left.stop, "["), (right.start, right.stop, "]")]
    return w.say("E124", "a list stands in square brackets", left, f"write {quoted(f'[{text}]')}", changes)


def list_in_parentheses(w: Where) -> Diagnostic | None:
    """`for w in (32, 64)`: a comma where parentheses hold one value."""
    if w.found.kind != "COMMA" or w.rule != "parens":
        return None
    first = w.flow_start(w.i, frozenset())
    if first <= w.low or w.tokens[first - 1].kind != "LPAR":
        return None
    left, closing = w.tokens[first - 1], w.closing(first - 1)
    right = w.tokens[closing]
    changes = [(left.start, left.stop, "["), (right.start, right.stop, "]")]
    help = f"write {quoted(f'[{w.text(first, closing)}]')}"
    return w.say("E124", "a list stands in square brackets", left, help, changes)


def colon(w: Where) -> Diagnostic | None:
    """`kernel: 3`, `dim T: int = 3`, `model X:`, `fn f(x): x`."""
    found = w.found
    if found.kind != "COLON":
        return None
    if w.rule in ("args", "keyword"):
        named = w.previous is not None and w.previous.kind in NAME_WORDS
        end = w.flow_end(w.i + 1)
        if not named or end == w.i + 1:
            return w.say("E115", "arguments are given with `=`", found, "for instance `conv(32, kernel = 3)`")
        help = f"write {quoted(f'{w.tokens[w.i - 1].text} = {w.text(w.i + 1, end)}')}"
        return w.say("E115", "arguments are given with `=`", found, help, [(found.start, found.stop, " =")])
    if w.rule in ("let", "return_", "dim", "output"):
        message = "only `input`, `target`, `weight` and parameters have a type"
        end = w.flow_end(w.i + 1)
        equal = next((w.tokens[k] for k in range(w.i, end) if w.tokens[k].kind == "EQUAL"), None)
        changes = [(found.start, equal.start, " ")] if equal is not None else []
        return w.say("E115", message, found, "remove `: ...`", changes)
    if w.rule in ("block", "model", "train", "fn", "params") and w.accepts("LBRACE"):
        return body_in_braces(w)
    return None


def body_in_braces(w: Where) -> Diagnostic:
    """`model X:` with an indented body."""
    found, tokens = w.found, w.tokens
    if w.begin.kind == "FN" and w.following.kind not in END:
        help = f"write `=` for `:`, as in {LOOKS['fn'][1]}"
        return w.say("E118", "a formula follows `=`", found, help, [(found.start, found.stop, " =")])
    stop, k = found.stop, w.i + 1
    while tokens[k].kind != "$END" and not (tokens[k].kind == "_NL" and tokens[k + 1].column <= w.begin.column):
        stop, k = tokens[k].stop, k + 1
    indented = w.following.kind == "_NL" and k > w.i + 2
    margin = indentation(w.source, w.begin.start)
    changes = [(found.start, found.stop, " {"), (stop, stop, f"\n{margin}}}")] if indented else []
    help = f"write `{{` for `:`, and `}}` at the end of the {w.begin.text}"
    return w.say("E118", "a body stands in braces", found, help, changes)


def conditional(w: Where) -> Diagnostic | None:
    """`if` without its `then` or `else`."""
    for rule in ("choice", "choose"):
        if (rule in w.enclosing[:3] and (w.after_value or w.after_step)) or w.rule == rule:
            if w.accepts("THEN"):
                return w.say(
                    "E117", f"`then` is missing before {shown(w.found)}", w.found, f"for instance {LOOKS[rule][1]}"
                )
            if w.accepts("ELSE"):
                step = rule == "choose" and w.line_ended and w.previous is not None
                stop = w.previous.stop if w.previous is not None else w.found.start
                change = [(stop, stop, " else identity")] if step else []
                help = "put `identity` there, which does nothing" if step else f"for instance {LOOKS[rule][1]}"
                return w.say("E117", "`if` needs an `else`", w.found, help, change)
    return None


def parts(w: Where) -> Diagnostic:
    """What is left: the rule says what it is, and an example what it looks like."""
    code, noun, example = PARTS.get(w.rule, ELSEWHERE)
    return w.say(code, f"{noun} cannot go on with {shown(w.found)}", w.found, f"for instance {example}")
