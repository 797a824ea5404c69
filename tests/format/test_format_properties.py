"""What must hold of every text: it means the same, keeps its comments, and formatting again changes nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from format_corpus import BAD, GOOD, MODELS, respaced, source, text_of
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.format import format_source
from kdsl.format.entries import READABLE
from kdsl.format.formatter import laid_out, settled
from kdsl.format.safety import comments, problem, same
from kdsl.source import read
from kdsl.syntax import parse

JUNK = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "->",
    "=",
    ",",
    ":",
    "+",
    "name",
    "7",
    "if",
    "repeat",
    "model",
    "as",
    "$",
    '"',
    ";",
]


def why_not(text: str) -> str:
    """What the checks say of the layout of a text, before anything falls back to the text as it was."""
    before = parse(source(text))
    return problem(before, settled(before.tree.source, before)[0], lambda new, parsed: laid_out(new, parsed)[0])


@pytest.mark.parametrize("path", [*GOOD, *MODELS], ids=lambda path: path.stem)
def test_a_good_file_is_laid_out_anew(path: Path) -> None:
    text = text_of(path)
    assert why_not(text) == ""
    formatted = format_source(source(text))
    assert formatted.left == 0
    assert format_source(source(formatted.text)).text == formatted.text


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_models_that_come_with_kdsl_are_in_style(path: Path) -> None:
    assert format_source(source(text_of(path))).text == text_of(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_keeps_its_mistakes(path: Path) -> None:
    found = read(path)
    assert not isinstance(found, Diagnostic)
    before = parse(found)
    formatted = format_source(found)
    after = parse(source(formatted.text))
    assert why_not(found.text) == ""
    assert sorted(d.code for d in before.diagnostics) == sorted(d.code for d in after.diagnostics)
    assert same(before.tree.items, after.tree.items)
    unread = [d.code for d in before.diagnostics if d.code not in READABLE]
    assert formatted.left > 0 or not unread


@pytest.mark.parametrize("path", [*GOOD, *MODELS], ids=lambda path: path.stem)
def test_any_layout_of_a_file_is_read_and_comes_out_the_same(path: Path) -> None:
    rng = random.Random(path.name)
    for _ in range(6):
        text = respaced(text_of(path), rng)
        assert parse(source(text)).diagnostics == (), text
        assert why_not(text) == "", text


def test_a_damaged_file_is_never_harmed() -> None:
    rng = random.Random(3)
    count = fallen = 0
    for path in GOOD * 2:
        text = text_of(path)
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice([*JUNK, "", " ", "\n"]) + text[at + rng.choice([0, 1, 3]) :]
        before, formatted = parse(source(text)), format_source(source(text))
        after = parse(source(formatted.text))
        assert same(before.tree.items, after.tree.items), text
        assert comments(source(text)) == comments(source(formatted.text)), text
        count += 1
        fallen += why_not(text) != ""
    assert fallen < 0.06 * count  # in the others all that could be read was laid out


# -- texts made from the grammar


@dataclass
class Maker:
    """Values and flows of any kind, with comments and line breaks wherever brackets allow them."""

    rng: random.Random

    def name(self) -> str:
        return self.rng.choice(["x", "h", "image", "long_name_of_a_value", "weight", "each", "from"])

    def note(self) -> str:
        return self.rng.choice(["", "", "", " # note\n", "\n  # own\n", "\n\n\n"])

    def listed(self, opener: str, closer: str, depth: int, named: bool = False) -> str:
        items = []
        for _ in range(self.rng.randrange(5)):
            lead = "name = " if named and self.rng.random() < 0.4 else ""
            items.append(self.note() + lead + self.value(depth) + self.note())
        comma = "," if items and self.rng.random() < 0.2 else ""
        return opener + ",".join(items) + comma + self.note() + closer

    def steps(self, depth: int) -> str:
        made = []
        for _ in range(self.rng.randint(1, 4)):
            made.append(self.name() + (self.listed("(", ")", depth, named=True) if self.rng.random() < 0.6 else ""))
        return (self.rng.choice([" ", "\n"]) + "-> ").join(made)

    def value(self, depth: int) -> str:
        if depth <= 0 or self.rng.random() < 0.3:
            return self.rng.choice([self.name(), "1", "128", "-0.5", "1e-3", "20_000", "5 epochs", "1   step", "-x"])
        depth -= 1
        kinds = (
            lambda: self.name() + self.listed("(", ")", depth),
            lambda: self.listed("[", "]", depth),
            lambda: f"[{', '.join(str(self.rng.randrange(9999)) for _ in range(self.rng.randint(2, 40)))}]",
            lambda: f"({self.note()}{self.value(depth)}{self.note()})",
            lambda: self.name() + self.rng.choice(["[-1]", "[0:4]", "[:, 1]", "[::2]", "[a + 1 : b]", "[a+1:,]"]),
            lambda: (
                f"({self.value(depth)}{self.note()} {self.rng.choice(OPERATORS)} {self.note()}({self.value(depth)}))"
            ),
            lambda: f"(if ({self.value(depth)}) == 1{self.note()} then {self.value(depth)} else {self.value(depth)})",
            lambda: f"({self.name()} -> {self.steps(depth)})",
            lambda: f"({self.name()} -> repeat 2 {{{self.rng.choice(['', ' ', NL])}{self.steps(depth)} }})",
        )
        return self.rng.choice(kinds)()

    def statement(self, number: int) -> str:
        kinds = (
            lambda: self.value(4),
            lambda: f"{self.name()}{self.rng.choice([' ', NL])}-> {self.steps(3)}",
            lambda: f"{self.value(2)} {self.rng.choice(OPERATORS)} {self.value(2)}\n  + {self.value(2)}",
            lambda: (
                f"if x then {self.value(2)}{self.rng.choice([' ', NL])}else if y then {self.name()} else {self.value(2)}"
            ),
        )
        return f"v{number} = {self.rng.choice(kinds)()}"


OPERATORS = ["+", "-", "*", "/", "**", "@", "==", "and"]
NL = "\n"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
@example(1345)
@example(20147)
def test_made_up_statements(seed: int) -> None:
    rng = random.Random(seed)
    maker = Maker(rng)
    between = rng.choice(["\n", "\n\n\n", "  # note\n", "\n # own\n"])
    body = between.join(maker.statement(number) for number in range(3))
    text = f"model M {{\n{body}\n}}\n"
    assume(parse(source(text)).diagnostics == ())
    assert why_not(text) == "", text
    assert all(line == line.rstrip() for line in format_source(source(text)).text.split("\n"))


def test_most_made_up_statements_are_good() -> None:
    makers = [Maker(random.Random(seed)) for seed in range(50)]
    good = [parse(source(f"model M {{\n{maker.statement(0)}\n}}\n")).diagnostics == () for maker in makers]
    assert sum(good) > 30


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from(list('ab1 \n\t\r(){}[],=:->#"$.+')), max_size=60))
def test_any_text_at_all(text: str) -> None:
    formatted = format_source(source(text))
    assert comments(source(text.replace("\r\n", "\n"))) == comments(source(formatted.text.replace("\r\n", "\n")))
