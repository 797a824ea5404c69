"""From the grammar's text to the parser's table, by Lark. Imported only when no cached table fits."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from lark import Lark, logger
from lark.grammar import Rule
from lark.lexer import PatternStr, TerminalDef
from lark.parsers.lalr_analysis import Shift

# A state may be in the middle of one of these after its first symbol and still become another rule.
UNDECIDED = frozenset({"index", "call", "path", "pipe", "let", "group", "keyword", "slice"})
# Rules a message does not speak of: a value alone may become any of them.
EXPRESSIONS = frozenset(
    [
        "or_",
        "and_",
        "not_",
        "negation",
        "comparison",
        "sum",
        "product",
        "unary",
        "minus",
        "power",
        "_postfix",
        "_atom",
        "name",
        "path",
        "flow",
        "_step",
        "_steps",
        "_at",
        "_argument",
        "_item",
        "_stmt",
        "start",
        "number",
        "quantity",
        "text",
        "bool",
        "$root_start",
    ]
)


def build(grammar: str) -> tuple[Lark, list[str]]:
    """The Lark parser, and the conflicts it settled on its own: Lark says so only in its debug log."""
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    listener, level = Listener(), logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    propagates, logger.propagate = logger.propagate, False
    others = [handler for handler in logger.handlers if handler is not listener]
    for handler in others:
        logger.removeHandler(handler)
    try:
        lark = Lark(grammar, parser="lalr", lexer="basic", debug=True)
    finally:
        logger.removeHandler(listener)
        for handler in others:
            logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagates
    return lark, [line for line in seen if "onflict" in line]


def compile_grammar(grammar: str) -> dict[str, Any]:
    """The table as plain values; see `kdsl.syntax.table.Table`."""
    lark, conflicts = build(grammar)
    if conflicts:
        raise ValueError(f"the grammar has conflicts: {conflicts[0]}")
    table: Any = lark.parser.parser._parse_table  # Lark has no public name for it
    ordered = sorted(table.states, key=_state_key)
    number = {state: i for i, state in enumerate(ordered)}
    rules = sorted(lark.rules, key=_rule_key)
    row = {rule: i for i, rule in enumerate(rules)}
    states = [_actions(table.states[state], number, row) for state in ordered]
    words, pattern = _lexer(lark.terminals)
    return {
        "states": states,
        "inside": [_inside(state) for state in ordered],
        "rules": [_row(rule) for rule in rules],
        "start": number[table.start_states["start"]],
        "end": number[table.end_states["start"]],
        "pattern": pattern,
        "words": words,
    }


def _rule_key(rule: Rule) -> tuple[str, ...]:
    return (str(rule.origin.name), *(str(symbol.name) for symbol in rule.expansion))


def _state_key(state: Iterable[Any]) -> list[tuple[Any, ...]]:
    """An order of the states that does not depend on hashes."""
    return sorted((_rule_key(item.rule), item.index) for item in state)


def _actions(actions: Mapping[Any, Any], number: Mapping[Any, int], row: Mapping[Rule, int]) -> dict[str, int]:
    found = {
        intern(str(symbol)): number[arg] if action is Shift else ~row[arg] for symbol, (action, arg) in actions.items()
    }
    return dict(sorted(found.items()))


def _row(rule: Rule) -> list[Any]:
    origin = str(rule.origin.name)
    return [origin, rule.alias or origin, len(rule.expansion), origin.startswith("_"), bool(rule.options.expand1)]


def _inside(state: Iterable[Any]) -> str:
    """The rule that this state is certainly in; a name or a value alone may still become several things."""
    origins = {(str(item.rule.origin.name), item.index) for item in state}
    certain = {name for name, index in origins if index > (name in UNDECIDED)}
    return min((name for name in certain if name not in EXPRESSIONS and not name.startswith("__")), default="")


def _lexer(terminals: Iterable[TerminalDef]) -> tuple[dict[str, str], str]:
    """The words that would otherwise be names, and one pattern of all other terminals in Lark's order."""
    defined = list(terminals)
    name = next(t for t in defined if t.name == "NAME").pattern.to_regexp()
    plain = [t for t in defined if isinstance(t.pattern, PatternStr) and re.fullmatch(name, t.pattern.value)]
    others = [t for t in defined if t not in plain]
    others.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    pattern = "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in others)
    return {t.pattern.value: t.name for t in sorted(plain, key=lambda t: t.name)}, pattern
