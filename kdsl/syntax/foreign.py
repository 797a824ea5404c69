"""Marks of other languages, damaged numbers and what is too long: reported, and read on as what they mean."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.records import dataclass
from kdsl.source import Source
from kdsl.syntax.problems import LIMIT, indentation, padded, problem, quoted
from kdsl.syntax.tokens import NAME_WORDS, Token, line_end, starts_statement

FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]|\\r(?!\\n)"
)
NAME_LIMIT = 200
DIGIT_LIMIT = 300
UNITS = re.compile(r"(\d+(?:\.\d+)?)(epochs?|steps?)")
TRUTH = {"True": "true", "False": "false", "TRUE": "true", "FALSE": "false"}
BEFORE_VALUE = frozenset(
    ["EQUAL", "COMMA", "LPAR", "LSQB", "IF", "AND", "OR", "NOT", "THEN", "ELSE", "COMPARE", "RETURN"]
)
AFTER_NAME = frozenset({"EQUAL", "COLON", "LPAR", "DOT"})
MARKS = {  # mark -> (kind of token it is read as, what is written instead, message, help)
    ":=": ("EQUAL", "=", "`=` binds a value", "write `=` for `:=`"),
    "=>": ("ARROW", "->", "the arrow is written `->`", "write `->` for `=>`"),
    "|>": ("ARROW", "->", "the arrow is written `->`", "write `->` for `|>`"),
    "\u2192": ("ARROW", "->", "the arrow is written `->`", "write `->` for `\u2192`"),
    "&&": ("AND", "and", "`&&` is written `and`", "write `and`"),
    "||": ("OR", "or", "`||` is written `or`", "write `or`"),
    "!": ("NOT", "not", "`!` is written `not`", "write `not`"),
    "//": ("SLASH", "/", "sizes divide with `/`, which must be exact", "write `/` for `//`; comments start with `#`"),
    "^": ("POWER", "**", "powers are written `**`", "write `**` for `^`"),
    "\u2212": ("MINUS", "-", "this is not a plain minus sign", "write `-`"),
    "\u00d7": ("STAR", "*", "multiplication is written `*`", "write `*`"),
    "\u00a0": ("", " ", "this is a no-break space", "write a plain space"),
}


@dataclass
class Reader:
    """Goes over the tokens once, or until there are too many problems."""

    source: Source
    tokens: Sequence[Token]
    problems: list[Diagnostic]

    def read(self) -> list[Token]:
        out: list[Token] = []
        skipped = 0  # the line whose rest is a comment of another language
        for i, token in enumerate(self.tokens):
            if len(self.problems) >= LIMIT:
                break
            if token.kind != "_NL" and token.line == skipped:
                continue
            previous = out[-1] if out else None
            if token.kind == "FOREIGN":
                if token.text == "//" and self.is_comment(i, previous):
                    skipped = token.line
                    self.report("comments start with `#`, not `//`", token, "write `#` for `//`", "#")
                    continue
                out += self.mark(i, token)
            elif token.kind in ("BAD_NUMBER", "UNTERMINATED"):
                out += self.damaged(token)
            elif token.text in TRUTH and token.kind == "NAME" and self.is_truth(i, previous):
                word = TRUTH[token.text]
                self.report(f"`{token.text}` is written `{word}`", token, f"write `{word}`", word)
                out.append(token.read_as(word.upper(), word))
            else:
                out.append(self.within_limits(token))
        return out

    def report(self, message: str, token: Token, help: str, text: str, code: str = "E108") -> None:
        self.problems.append(problem(self.source, code, message, token, help, [(token.start, token.stop, text)]))

    def is_comment(self, i: int, previous: Token | None) -> bool:
        """`//` at the start of a line, or with something behind it that is no operand: words side by side."""
        rest = [token.kind for token in self.tokens[i + 1 : min(i + 3, line_end(self.tokens, i))]]
        prose = len(rest) == 0 or (len(rest) == 2 and rest[0] in NAME_WORDS and rest[1] in NAME_WORDS | {"BAD_CHAR"})
        return previous is None or previous.kind in ("_NL", "LBRACE") or prose

    def is_truth(self, i: int, previous: Token | None) -> bool:
        following = self.tokens[i + 1].kind if i + 1 < len(self.tokens) else "_NL"
        return previous is not None and previous.kind in BEFORE_VALUE and following not in AFTER_NAME

    def mark(self, i: int, token: Token) -> list[Token]:
        text = token.text
        if text == ";":
            inside = i > 0 and self.tokens[i - 1].kind == "COMMA"
            follows = starts_statement(self.tokens, i + 1) and not inside
            instead = "\n" + indentation(self.source, token.start) if follows else ""
            stop = self.tokens[i + 1].start if follows else token.stop
            self.problems.append(
                problem(
                    self.source, "E108", "a statement ends with its line: no `;`", token,
                    "start a new line" if follows else "remove the `;`", [(token.start, stop, instead)],
                )
            )  # fmt: skip
            return [token.read_as("_NL", "\n")] if follows else []
        if text[0] in "'\u201c\u2018":
            return [self.odd_quotes(i, token)]
        kind, instead, message, help = MARKS[text]
        written = padded(self.source, token.start, token.stop, instead) if instead.isalpha() else instead
        self.report(message, token, help, written)
        return [token.read_as(kind, instead)] if kind else []

    def odd_quotes(self, i: int, token: Token) -> Token:
        """'text': a bare word where it is the value of an argument, else text in straight quotes."""
        inner = token.text[1:-1]
        argument = i > 0 and self.tokens[i - 1].kind == "EQUAL"
        if argument and inner.isidentifier() and inner.isascii():
            self.report(f"`{token.text}` is a word, and words are bare", token, f"write `{inner}`", inner)
            return token.read_as("NAME", inner)
        straight = f'"{inner}"'
        plain = '"' not in inner
        message, help = "text stands in straight double quotes", f"write `{straight}`" if plain else ""
        changes = [(token.start, token.stop, straight)] if plain else []
        self.problems.append(problem(self.source, "E108", message, token, help, changes))
        return token.read_as("STRING", straight)

    def damaged(self, token: Token) -> list[Token]:
        """A number or text whose meaning is plain; where it is not, the parser reports it."""
        text = token.text
        if token.kind == "UNTERMINATED":
            brace = text.rstrip()[1:].endswith("{")  # the brace of `tune "stem.* {`
            inner = text.rstrip()[:-1].rstrip() if brace else text.rstrip()
            stop = token.start + len(inner)
            change = [(stop, stop, '"')]
            self.problems.append(
                problem(self.source, "E111", "this text is not closed", token, 'write a `"` at its end', change)
            )
            closed = Token("STRING", inner + '"', token.start, stop, token.line, token.column)
            if not brace:
                return [closed]
            place = token.start + len(text.rstrip()) - 1
            return [closed, Token("LBRACE", "{", place, place + 1, token.line, token.column + place - token.start)]
        kind, instead, message = "", "", ""
        left = self.source.text[token.start - 1 : token.start]
        if left.isalnum() or left == "_":  # `dropout0.2`: what is meant is not plain
            return [token]
        units = UNITS.fullmatch(text)
        if re.fullmatch(r"\.\d+", text):
            kind, instead, message = "FLOAT", "0" + text, "a number starts with a digit"
        elif re.fullmatch(r"\d+\.", text):
            kind, instead, message = "FLOAT", text + "0", f"{quoted(text)} needs a digit after the point"
        elif units:
            kind, instead, message = "QUANTITY", f"{units[1]} {units[2]}", f"{quoted(text)} needs a space"
        if not kind:
            return [token]
        self.report(message, token, f"write {quoted(instead)}", instead, "E110")
        return [self.within_limits(token.read_as(kind, instead))]

    def within_limits(self, token: Token) -> Token:
        """The token, or in its place one that breaks its statement, because of its length or its size."""
        found = excess(token)
        if found is None:
            return token
        code, message, help = found
        self.problems.append(problem(self.source, code, message, token, help))
        return token.read_as("REFUSED")


def excess(token: Token) -> tuple[str, str, str] | None:
    """(code, message, help) where a name or number is beyond what the language takes."""
    text = token.text
    if token.kind in NAME_WORDS:
        if len(text) <= NAME_LIMIT:
            return None
        return "E144", f"this name has {len(text)} characters", f"names have at most {NAME_LIMIT}"
    if token.kind not in ("INT", "FLOAT", "QUANTITY"):
        return None
    digits = sum(character.isdigit() for character in text)
    if digits > DIGIT_LIMIT:
        return "E145", f"this number has {digits} digits", f"numbers have at most {DIGIT_LIMIT}"
    if token.kind == "FLOAT":
        value = float(text)
        exponent = re.split("[eE]", text)[1:]
        if value == 0 and exponent and len(exponent[0]) > 4:  # `0e999999999`: no exact fraction is made of that
            return "E146", f"{quoted(text)} has an exponent that no float has", "write `0.0`"
        if math.isinf(value):
            return "E146", f"{quoted(text)} is larger than any float", "the largest is about 1.8e308"
        if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
            return "E146", f"{quoted(text)} is smaller than any float but 0", "the smallest is about 5e-324"
    return None


def forbidden(source: Source) -> list[Diagnostic]:
    """Control characters and marks that turn the direction of text: never, not even in a comment."""
    found = []
    for match in FORBIDDEN.finditer(source.text, 1 if source.text.startswith("\ufeff") else 0):
        start = match.start()
        line, column = source.position(start)
        token = Token("BAD_CHAR", match[0], start, start + 1, line, column)
        message = f"U+{ord(match[0]):04X} is a character that cannot be seen"
        found.append(problem(source, "E109", message, token, "remove it", [(start, start + 1, "")]))
        if len(found) == LIMIT:
            break
    return found
