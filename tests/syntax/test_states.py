"""Every state that the grammar can stop in has a message, and no message is without a state that needs it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from functools import cache

import pytest
from lark import Lark
from mutants import sample
from syntax_corpus import BAD

from kdsl._resources import read_text
from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.source import Source
from kdsl.syntax import explain as explaining
from kdsl.syntax import explain_values as values
from kdsl.syntax import parse
from kdsl.syntax.builder import Builder
from kdsl.syntax.explain import explain
from kdsl.syntax.explain_headers import LOOKS
from kdsl.syntax.explain_values import PARTS
from kdsl.syntax.layout import layout
from kdsl.syntax.machine import Machine
from kdsl.syntax.table import load
from kdsl.syntax.tokens import BROKEN, CLOSER, OPENER, lex
from kdsl.syntax.where import Where

TEXTS = {
    "NAME": "x", "INT": "3", "FLOAT": "0.5", "QUANTITY": "5 epochs", "STRING": '"text"', "COMPARE": "<", "ARROW": "->",
    "POWER": "**", "AT": "@", "PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/", "EQUAL": "=", "COLON": ":",
    "COMMA": ",", "DOT": ".", "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "LBRACE": "{", "RBRACE": "}",
    "_NL": "\n", "BAD_CHAR": "$", "BAD_NUMBER": "3x",
}  # fmt: skip
DAMAGED = BROKEN | {"FOREIGN", "UNTERMINATED"}  # which the parser gets as other tokens, or stops at
PARTLY = 5  # of the tokens that do not fit in a state, this many are tried


def text_of(kind: str) -> str:
    words = {token: word for word, token in load().words.items()}
    return TEXTS.get(kind) or words[kind]


@cache
def shortest() -> dict[str, tuple[str, ...]]:
    """Each symbol of the grammar -> the fewest tokens that make it."""
    rules = Lark(read_text("grammar", "kmodel.lark"), parser="lalr").rules
    found: dict[str, tuple[str, ...]] = {}
    changed = True
    while changed:
        changed = False
        for rule in rules:
            parts = [(s.name,) if s.is_term else found.get(s.name) for s in rule.expansion]
            if any(part is None for part in parts) or str(rule.origin.name).startswith("broken"):
                continue
            made = tuple(token for part in parts if part is not None for token in part)
            name = str(rule.origin.name)
            if name not in found or len(made) < len(found[name]):
                found[name], changed = made, True
    return found


@cache
def ways() -> dict[int, tuple[str, ...]]:
    """Each state of the parser -> tokens that lead to it."""
    table = load()
    found: dict[int, tuple[str, ...]] = {table.start: ()}
    left = deque([table.start])
    while left:
        state = left.popleft()
        for symbol, action in table.states[state].items():
            tokens = (symbol,) if symbol.isupper() else shortest().get(symbol)
            usable = tokens is not None and not any(t.startswith(("ERROR", "$")) or t in DAMAGED for t in tokens)
            if action >= 0 and action not in found and usable:
                found[action] = found[state] + (tokens or ())
                left.append(action)
    return found


def stops() -> Iterator[tuple[int, str, Where]]:
    """(state, text, place) for each state and some of the tokens that do not fit in it."""
    kinds = list(dict.fromkeys([*TEXTS, *load().words.values()]))
    for state, tokens in ways().items():
        refused = [kind for kind in kinds if kind not in load().states[state]]
        for kind in refused[state % 3 :: max(1, len(refused) // PARTLY)]:
            ends = closers((*tokens, kind))
            if ends is None:
                continue
            text = " ".join(text_of(each) for each in (*tokens, kind, *ends)) + "\n"
            where = stopped(text)
            if where is not None:
                yield state, text, where


def closers(kinds: tuple[str, ...]) -> list[str] | None:
    """What closes the brackets that are open; None where one closes nothing. Brackets are mended before parsing."""
    stack: list[str] = []
    for kind in kinds:
        if kind in OPENER:
            stack.append(OPENER[kind])
        elif kind in CLOSER and (not stack or stack.pop() != kind):
            return None
    return stack[::-1]


def stopped(text: str) -> Where | None:
    """Where the parser stops, brackets taken as they are."""
    source = Source("x", text)
    tokens, _ = layout(lex(source)[0])
    machine = Machine(load(), Builder(source, {}), source)
    begin, top = 0, True
    for i, token in enumerate(tokens):
        if machine.can_shift("ERROR_STMT"):
            begin, top = i, machine.can_shift("ERROR_HEADER")
        if token.kind in BROKEN or not machine.feed(token):
            return Where(machine, tokens, begin, i, top)
    return None


def test_every_state_can_be_reached_and_has_a_message() -> None:
    reachable = sum(not kept.startswith("broken") for kept in load().inside)
    assert len(ways()) > 0.9 * reachable
    count = 0
    for state, text, where in stops():
        found = explain(where)
        assert found.code != "E199" and found.message[0] != " ", (state, text)
        assert 0 <= found.span.start <= found.span.stop <= len(text), (state, text)
        count += 1
    assert count > 3 * len(ways())


def test_no_message_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is given for some state, some bad file, some example of the catalogue or some mutant."""
    given: Counter[object] = Counter()

    def counted(test):
        def count(where: Where):
            found = test(where)
            if found is not None:
                given[test] += 1
                given["LOOKS", where.rule] += test.__name__ == "header"
            return found

        return count

    def last(where: Where, parts=values.parts):
        given["PARTS", where.rule if where.rule in PARTS else ""] += 1
        return parts(where)

    tests = explaining.ORDER
    monkeypatch.setattr(explaining, "ORDER", tuple(map(counted, tests)))
    monkeypatch.setattr(values, "parts", last)
    for _, _, where in stops():
        explain(where)
    texts = [path.read_text(encoding="utf-8") for path in BAD] + [mutant.text for mutant in sample(600, 4)]
    for text in (*texts, *(entry.example for entry in CATALOGUE.values()), *HABITS):
        parse(Source("x", text))
    assert [test.__name__ for test in tests if not given[test]] == []
    assert [rule for rule in LOOKS if not given["LOOKS", rule]] == []
    assert [rule for rule in PARTS if not given["PARTS", rule]] == []


HABITS = (
    "model M {\n  input x: f32[4]\n  self.fc = dense(10)\n  x += 3\n}\n",
    "model M {\n  h = x -> dense(8, shape = (28,))\n}\n",
    'import A from f"parts"\n',
    "import numpy as np\n",
    "def f(x):\n",
    "fn f = lambda x: x\n",
    "while x\n",
    "h = nn.Sequential(a, b)\n",
)
