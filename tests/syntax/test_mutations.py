"""One token of a good file is deleted, doubled, replaced or preceded by another: damage stays where it was done.

The normal run takes a seeded sample; `KDSL_MUTATIONS=all` takes every token, with two replacements and insertions each.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from syntax_corpus import GOOD, nodes, parse_text, shape, statements

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.text import render_text
from kdsl.syntax import tree

SAMPLE = 2000
SEED = 20
POOL = ["(", ")", "[", "]", "{", "}", "->", "=", ",", ":", "+", "-", "name", "7", "0.5", '"text"', "if", "repeat"]
POOL += [
    "model",
    "input",
    "as",
    "$",
    '"',
    "3x",
    ";",
    "\n",
    "# note\n",
    "else",
    "import",
    "x =",
    "each",
    "for",
    ".",
    "//",
]


@dataclass(frozen=True)
class Mutant:
    path: Path
    place: int
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.name} at {self.place} ({self.change}):\n{self.text}"


@dataclass
class Tally:
    """What happened to all mutants."""

    count: int = 0
    problems: Counter[int] = field(default_factory=Counter)
    untouched: int = 0
    survived: int = 0
    edits: int = 0
    edits_failed: list[tuple[Mutant, Diagnostic]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def mutants_of(path: Path, rng: random.Random) -> Iterator[Mutant]:
    text = path.read_text(encoding="utf-8")
    for token in parse_text(text).tokens:
        low, high = token.start, token.stop
        yield Mutant(path, low, f"without {token.text!r}", text[:low] + text[high:])
        if token.kind != "_NL":
            yield Mutant(path, low, f"{token.text!r} twice", text[:low] + token.text + " " + token.text + text[high:])
        for new in rng.sample(POOL, 2):
            yield Mutant(path, low, f"{new!r} for {token.text!r}", text[:low] + f" {new} " + text[high:])
        for new in rng.sample(POOL, 2):
            yield Mutant(path, low, f"{new!r} before {token.text!r}", text[:low] + f" {new} " + text[low:])


def chosen() -> list[Mutant]:
    mutants = [mutant for path in GOOD for mutant in mutants_of(path, random.Random(path.name))]
    if os.environ.get("KDSL_MUTATIONS") == "all":
        return mutants
    return random.Random(SEED).sample(mutants, SAMPLE)


@cache
def tally() -> Tally:
    result = Tally()
    originals = {path: statements(parse_text(path.read_text(encoding="utf-8")).tree) for path in GOOD}
    for mutant in chosen():
        parsed = parse_text(mutant.text)
        result.count += 1
        result.problems[len(parsed.diagnostics)] += 1
        check(mutant, parsed.tree, parsed.diagnostics, result)
        kept = Counter(contents for contents, _, _ in statements(parsed.tree))
        for contents, low, high in originals[mutant.path]:
            if not low <= mutant.place < high:
                result.untouched += 1
                result.survived += kept[contents] > 0
            kept[contents] -= kept[contents] > 0
    return result


def check(mutant: Mutant, file: tree.File, diagnostics: tuple[Diagnostic, ...], result: Tally) -> None:
    """What must hold of every single mutant."""
    broken = any(isinstance(node, (tree.Broken, tree.BrokenItem)) for node in nodes(file))
    if broken and not diagnostics:
        result.wrong.append(f"broken without a word: {mutant}")
    render_text(diagnostics)
    for diagnostic in diagnostics:
        labels = (diagnostic.primary, *diagnostic.secondary)
        spans = [label.span for label in labels] + [edit.span for edit in diagnostic.edits]
        if not all(0 <= span.start <= span.stop <= len(mutant.text) for span in spans):
            result.wrong.append(f"a place outside the file: {diagnostic.message}\n{mutant}")
        if diagnostic.code == "E199" or not diagnostic.message:
            result.wrong.append(f"the fallback message: {mutant}")
        if diagnostic.edits:
            result.edits += 1
            after = parse_text(apply(mutant.text, diagnostic.edits)).diagnostics
            if len(after) >= len(diagnostics) and diagnostic.message in [d.message for d in after]:
                result.edits_failed.append((mutant, diagnostic))


def test_every_mutant_is_read_and_explained() -> None:
    assert not tally().wrong, "\n\n".join(tally().wrong[:5])


def test_one_mistake_is_one_problem() -> None:
    result = tally()
    at_most_two = sum(count for problems, count in result.problems.items() if problems <= 2)
    assert at_most_two >= 0.995 * result.count, result.problems
    assert max(result.problems) <= 5, result.problems
    assert 0.02 * result.count < result.problems[0] < 0.2 * result.count, result.problems


def test_what_was_not_touched_survives() -> None:
    result = tally()
    assert result.untouched > 10 * result.count
    assert result.survived >= 0.99 * result.untouched


def test_edits_mend_what_they_are_about() -> None:
    result = tally()
    assert result.edits > 0.3 * result.count
    assert len(result.edits_failed) <= 0.02 * result.edits, "\n\n".join(str(m) for m, _ in result.edits_failed[:5])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_shape_is_the_same_at_another_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert shape(parse_text("\n\n" + text).tree) == shape(parse_text(text).tree)
