"""The grammar: no conflicts, one lexer, a message for every rule; and the table that is made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from lark import Lark
from lark.lexer import BasicLexer, LexerThread
from syntax_corpus import BAD, GOOD, TESTS

from kdsl._resources import read_text
from kdsl.source import Source
from kdsl.syntax import table
from kdsl.syntax.explain_headers import LOOKS
from kdsl.syntax.explain_values import PARTS
from kdsl.syntax.grammar import build, compile_grammar
from kdsl.syntax.tokens import NAME_WORDS, RESERVED, lex

GRAMMAR = read_text("grammar", "kmodel.lark")
AMBIGUOUS = 'start: e\ne: "if" e "else" e | "if" e | X\nX: "x"'


def test_the_grammar_has_no_conflicts() -> None:
    _, conflicts = build(GRAMMAR)
    assert conflicts == []


def test_a_conflict_would_be_seen() -> None:
    _, conflicts = build(AMBIGUOUS)
    assert len(conflicts) == 1
    with pytest.raises(ValueError, match="conflict"):
        compile_grammar(AMBIGUOUS)


def test_an_optional_else_would_conflict() -> None:
    dangling = GRAMMAR.replace('"then" flow "else" flow', '"then" flow ["else" flow]')
    assert dangling != GRAMMAR
    assert build(dangling)[1] != []


def test_every_rule_the_parser_can_be_in_has_a_message() -> None:
    rules = {rule for rule in table.load().inside if rule}
    # A body's own lines have messages of their own; what is left of it shares the last message with a whole file.
    assert rules - {"broken", "broken_item", "body"} <= set(LOOKS) | set(PARTS)
    assert set(LOOKS) | set(PARTS) <= rules


def test_the_words_of_the_language() -> None:
    words = table.load().words
    kinds = set(words.values())
    assert kinds == (RESERVED | NAME_WORDS) - {"NAME"}
    assert {word.upper() for word in words} == kinds


@cache
def lark_lexer() -> BasicLexer:
    return Lark(GRAMMAR, parser="lalr", lexer="basic")._build_lexer(True)


@pytest.mark.parametrize("path", GOOD + BAD, ids=lambda path: path.stem)
def test_the_lexer_is_larks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens, comments = lex(Source(path.name, text))
    ours = sorted((t.start, t.kind, t.text, t.line, t.column) for t in tokens + comments)
    theirs = [t for t in LexerThread.from_text(lark_lexer(), text).lex(None) if t.type != "WS"]
    assert ours == [(t.start_pos, t.type, str(t), t.line, t.column) for t in theirs]


def test_the_table_does_not_depend_on_hashes() -> None:
    made = [run("0"), run("1")]
    assert made[0] == made[1]
    assert json.loads(made[0]) == compile_grammar(GRAMMAR)


def run(seed: str) -> str:
    code = "import json\nfrom kdsl._resources import read_text\nfrom kdsl.syntax.grammar import compile_grammar\n"
    code += "print(json.dumps(compile_grammar(read_text('grammar', 'kmodel.lark'))))"
    return python(code, PYTHONHASHSEED=seed)


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), **environment},
    )
    return done.stdout


PARSE = "import sys\nfrom kdsl.source import Source\nfrom kdsl.syntax import parse\n"
PARSE += "print(len(parse(Source('x', 'dim T = 3')).tree.items), 'lark' in sys.modules, 'numpy' in sys.modules)"


def test_a_kept_table_spares_the_import_of_lark(tmp_path: Path) -> None:
    assert python(PARSE, KDSL_CACHE_DIR=str(tmp_path)) == "1 True False\n"
    assert python(PARSE, KDSL_CACHE_DIR=str(tmp_path)) == "1 False False\n"


def test_a_damaged_table_is_made_anew(tmp_path: Path) -> None:
    python(PARSE, KDSL_CACHE_DIR=str(tmp_path))
    [kept] = (tmp_path / "kdsl").iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole.replace(b"shift", b"x").replace(b"1", b"2", 1), b"", b"\xff\n{}"):
        kept.write_bytes(damaged)
        assert python(PARSE, KDSL_CACHE_DIR=str(tmp_path)) == "1 True False\n"
        assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert python(PARSE, KDSL_CACHE_DIR=str(blocked)) == "1 True False\n"
