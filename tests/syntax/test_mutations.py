"""One token of a good file is lost, doubled, swapped, replaced or preceded by another: damage stays where it was done."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from mutants import FILES, MOST, Mutant, Tally, examine, original, sample
from syntax_corpus import nodes, parse_text, shape, statements

from kdsl.syntax import tree

SAMPLE, SEED = 2000, 20


@cache
def chosen() -> list[Mutant]:
    return sample(SAMPLE, SEED)


@cache
def tally() -> Tally:
    return examine(chosen(), Tally(), whole=False)


def test_every_mutant_is_read_and_explained() -> None:
    assert not tally().wrong, "\n\n".join(tally().wrong[:5])


def test_one_mistake_is_one_problem() -> None:
    result = tally()
    assert result.few() >= 0.995, result.problems
    assert max(result.problems) <= MOST, result.problems
    assert 0.02 * result.count < result.problems[0] < 0.2 * result.count, result.problems


def test_what_is_broken_is_reported() -> None:
    for mutant in chosen()[: SAMPLE // 4]:
        parsed = parse_text(mutant.text)
        broken = any(isinstance(node, (tree.Broken, tree.BrokenItem)) for node in nodes(parsed.tree))
        assert parsed.diagnostics or not broken, mutant


def test_what_was_not_touched_survives() -> None:
    untouched = survived = 0
    originals = {path: statements(parse_text(original(path)).tree) for path in FILES}
    for mutant in chosen()[: SAMPLE // 2]:
        kept = Counter(contents for contents, _, _ in statements(parse_text(mutant.text).tree))
        for contents, low, high in originals[mutant.path]:
            if high <= mutant.place or low >= max(mutant.stop, mutant.place + 1):
                untouched += 1
                survived += kept[contents] > 0
            kept[contents] -= kept[contents] > 0
    assert untouched > 10 * len(chosen()) // 2
    assert survived >= 0.99 * untouched


def test_edits_mend_what_they_are_about() -> None:
    result = tally()
    assert result.edits > 0.3 * result.count
    assert len(result.useless) <= 0.02 * result.edits, "\n\n".join(result.useless[:5])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shape_is_the_same_at_another_place(path: Path) -> None:
    text = original(path)
    assert shape(parse_text("\n\n" + text).tree) == shape(parse_text(text).tree)
