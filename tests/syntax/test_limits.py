"""Texts beyond reason get a diagnostic, soon, and never an exception."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from syntax_corpus import nodes, parse_text

from kdsl.diagnostics.text import render_text
from kdsl.syntax import tree

SECONDS = 2.0  # of processor time: several times what any of these takes


@contextmanager
def soon() -> Iterator[None]:
    parse_text("dim T = 3\n")
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def codes(text: str) -> list[str]:
    parsed = parse_text(text)
    render_text(parsed.diagnostics)
    return [diagnostic.code for diagnostic in parsed.diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000 + "x" + ")" * 20_000,
        "[" * 20_000,
        "f(" * 500 + "x" + ")" * 500,
        "-" * 5_000 + "x",
        "not " * 5_000 + "x",
        "x" + "[0]" * 5_000,
        "x" + " + x" * 5_000,
        "x" + " * x" * 5_000,
        "x" + " ** x" * 5_000,
        "x" + " and x" * 5_000,
        "if a then b else " * 5_000 + "c",
        "x -> " + "repeat 2 { " * 300 + "f" + " }" * 300,
        "x -> " + "if a then f else " * 5_000 + "g",
        "(" * 90 + "x + " * 90 + "x" + ")" * 90,
        "((" * 45 + "x" + " + x + x + x) + x + x + x + x)" * 45,
    ],
    ids=lambda text: text[:12],
)
def test_nesting(text: str) -> None:
    with soon():
        assert codes(f"fn f(x) = {text}\ndim T = 3\n") == ["E120"]


def test_a_depth_of_ninety_is_fine() -> None:
    for text in ("(" * 90 + "x" + ")" * 90, "x" + " + x" * 90, "x -> " + "repeat 2 { " * 45 + "f" + " }" * 45):
        assert codes(f"fn f(x) = {text}\n") == []


def test_what_is_read_is_shallow_enough_to_recurse_over() -> None:
    deepest = "fn f(x) = " + "f(" * 30 + "-x" + " + x)" * 30
    for node in nodes(parse_text(deepest).tree):
        repr(node)
        hash(node)
        assert node == node
    assert codes(deepest) == []


def test_nested_groups_of_settings() -> None:
    with soon():
        assert codes("train M {\n" + 'tune "a" {\n' * 99 + "}\n" * 99 + "}\n") == []
        assert codes("train M {\n" + 'tune "a" {\n' * 5_000 + "}\n" * 5_000 + "}\n") == ["E120"]


def test_long_flat_texts_are_fine() -> None:
    with soon():
        assert codes("model M {\n  input x: f32[4]\n  y = x" + "\n    -> relu" * 3_000 + "\n  output y\n}\n") == []
        assert codes("dim T = [" + "1, " * 5_000 + "]\n") == []


def test_more_than_a_hundred_problems() -> None:
    with soon():
        found = codes("dim 3\n" * 20_000)
    assert len(found) == 100 and found[-1] == "E143" and set(found[:-1]) == {"E113"}
    assert codes("dim 3\n" * 99) == ["E113"] * 99


@pytest.mark.parametrize("mark", [";", "$", "'", '"', ")", "(", "\x00", "\u202e", "3x", ":= ", "}", "{"])
def test_one_mark_a_hundred_thousand_times(mark: str) -> None:
    with soon():
        found = codes(mark * 100_000)
    assert 1 <= len(found) <= 100


def test_long_names() -> None:
    assert codes("dim " + "a" * 200 + " = 3\n") == []
    assert codes("dim " + "a" * 201 + " = 3\n") == ["E144"]
    with soon():
        assert codes("dim " + "a" * 1_000_000 + " = 3\n") == ["E144"]


def test_long_numbers() -> None:
    assert codes("dim T = " + "9" * 300 + "\n") == []
    with soon():
        assert codes("dim T = " + "9" * 1_000_000 + "\n") == ["E145"]
        assert codes("dim T = 0." + "9" * 1_000_000 + "\n") == ["E145"]
        assert codes("dim T = " + "9" * 5_000 + " epochs\n") == ["E145"]


def test_numbers_no_float_can_hold() -> None:
    assert codes("dim T = 1e308\n") == []
    assert codes("dim T = 5e-324\n") == []
    assert codes("dim T = 0.00e-10\n") == []
    with soon():
        assert codes("dim T = 0e999999999\n") == ["E146"]
        assert codes("dim T = 1e309\n") == ["E146"]
        assert codes("dim T = 1e999999999999\n") == ["E146"]
        assert codes("dim T = 1e-999999999999\n") == ["E146"]


def test_a_refused_number_breaks_its_statement() -> None:
    item, other = parse_text("dim T = 1e999\ndim V = 3\n").tree.items
    assert isinstance(item, tree.Broken) and item.binds == ("T",)
    assert isinstance(other, tree.Dim)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u200e", "\u202e", "\u2066", "\u2028"])
def test_characters_that_cannot_be_seen(character: str) -> None:
    assert codes(f"# a comment {character} and more\ndim T = 3\n") == ["E109"]
    assert codes(f'import A from "x{character}"\n') == ["E109"]


def test_a_lone_carriage_return_is_refused() -> None:
    assert codes("dim T = 3\r# hidden\r\ndim V = 4\r\n") == ["E109"]
