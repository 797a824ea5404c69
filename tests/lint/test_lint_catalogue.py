"""Every rule has an entry, an example that gives exactly its code, and a fix that gives nothing; its edits do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from elaborate_corpus import GOOD, read

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.edits import apply
from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.lint_codes import LINT
from kdsl.elaborate import elaborate
from kdsl.lint import DEFAULT, RULES, lint
from kdsl.source import Source
from kdsl.syntax import parse

ROOT = Path(__file__).resolve().parents[2]
OFF = {"W614", "W616", "W619", "W620"}  # matters of taste, or of what the file does not say


def check(text: str, chosen: frozenset[str] = DEFAULT, name: str = "test.kmodel") -> list[Diagnostic]:
    parsed = parse(Source(name, text))
    elaborated = elaborate(parsed.tree)
    errors = [*parsed.diagnostics, *elaborated.diagnostics]
    return errors or list(lint(parsed.tree, elaborated, chosen))


def codes(text: str, chosen: frozenset[str] = DEFAULT) -> list[str]:
    return [found.code for found in check(text, chosen)]


@pytest.mark.parametrize("entry", LINT, ids=lambda entry: entry.code)
def test_the_example_gives_this_code_and_the_fix_nothing(entry: Entry) -> None:
    chosen = DEFAULT | {entry.code}
    assert codes(entry.example, chosen) == [entry.code]
    assert codes(entry.fix, chosen) == []
    assert codes(entry.example, chosen - {entry.code}) == []


def test_rules_and_entries_are_the_same() -> None:
    assert [rule.code for rule in RULES] == [entry.code for entry in LINT] == sorted(entry.code for entry in LINT)
    assert {rule.code for rule in RULES if not rule.default} == OFF
    assert len(RULES) >= 25


@pytest.mark.parametrize("entry", LINT, ids=lambda entry: entry.code)
def test_what_a_rule_says_of_its_fix_is_true(entry: Entry) -> None:
    (rule,) = (rule for rule in RULES if rule.code == entry.code)
    chosen = DEFAULT | {entry.code}
    (found,) = check(entry.example, chosen)
    assert bool(found.edits) == bool(rule.fix)
    if found.edits:
        after = codes(apply(entry.example, found.edits), chosen)
        assert entry.code not in after and not any(code.startswith("E") for code in after)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix == "safe"], ids=lambda rule: rule.code)
def test_a_safe_fix_changes_neither_weights_nor_results(rule) -> None:
    (entry,) = (entry for entry in LINT if entry.code == rule.code)
    (found,) = check(entry.example, DEFAULT | {rule.code})
    before, after = (
        elaborate(parse(Source("x", text)).tree).models[0]
        for text in (entry.example, apply(entry.example, found.edits))
    )
    assert [(w.name, w.shape) for w in before.weights] == [(w.name, w.shape) for w in after.weights]
    assert before.outputs == after.outputs


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_default_rules_are_silent_about_good_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert check(read(path)[0], name=path.name) == []
