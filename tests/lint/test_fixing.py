"""Edits are made until none is left, and never those that do harm. Every edit of every diagnostic is made once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from elaborate_corpus import net
from test_lint_catalogue import ROOT, check

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.edits import apply
from kdsl.lint import DEFAULT
from kdsl.lint.fixing import fixed
from kdsl.source import Source

BAD = sorted((ROOT / "tests" / "bad").glob("*.kmodel"))
ALL = DEFAULT | {"W614", "W616", "W619", "W620"}


def look(source: Source) -> Sequence[Diagnostic]:
    from kdsl.elaborate import elaborate
    from kdsl.lint import lint
    from kdsl.syntax import parse

    parsed = parse(source)
    elaborated = elaborate(parsed.tree)
    found = [*parsed.diagnostics, *elaborated.diagnostics]
    return found or lint(parsed.tree, elaborated)


def mended(text: str, unsafe: bool = False) -> tuple[str, int]:
    source, count = fixed(Source("test.kmodel", text), look, unsafe)
    return source.text, count


def test_safe_edits_are_made_in_rounds() -> None:
    text = 'import SqueezeExcite, RmsNorm from "kdsl:blocks"\n' + net(
        "logits = image -> flatten -> dense(64) -> relu -> relu -> relu -> dense(10)\nspare = image\noutput logits"
    )
    after, count = mended(text)
    assert count == 3  # the import once, two steps
    assert "import" not in after and "-> relu -> dense(10)" in after and "relu -> relu" not in after
    assert "spare" in after  # its edit is not safe
    assert "spare" not in mended(text, unsafe=True)[0]
    assert mended(after) == (after, 0)


def test_a_file_without_findings_stays() -> None:
    text = net("logits = image -> flatten -> dense(10)\noutput logits")
    assert mended(text, unsafe=True) == (text, 0)


def test_an_edit_that_breaks_the_file_is_not_made() -> None:
    source = Source("test.kmodel", net("logits = image -> flatten -> dense(10)\noutput logits"))

    def harmful(it: Source) -> Sequence[Diagnostic]:
        found = list(look(it))
        if "flatten" in it.text:
            at = it.text.index("flatten")
            found.append(Diagnostic("W623", "no", Label(it.span(at, at + 7)), edits=(Edit(it.span(at, at + 7), "("),)))
        return found

    assert fixed(source, harmful, unsafe=True) == (source, 0)


def test_an_edit_that_takes_a_comment_away_is_not_made() -> None:
    text = net("logits = image -> flatten -> dense(64) -> relu\n  # why\n  -> relu -> dense(10)\noutput logits")
    assert mended(text) == (text, 0)


def test_errors_are_mended_only_where_that_is_asked_for() -> None:
    text = net("logits = image -> flatten -> dense(10 bias = true)\noutput logits")
    assert mended(text) == (text, 0)
    assert "dense(10, bias = true)" in mended(text, unsafe=True)[0]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_mending_a_bad_file_leaves_fewer_errors(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    source = Source(path.name, path.read_text(encoding="utf-8"))
    before = look(source)
    after, count = fixed(source, look, unsafe=True)
    left = look(after)
    errors = [sum(it.severity == "error" for it in found) for found in (before, left)]
    assert errors[1] < errors[0] or errors[1] == errors[0] == 0 or count == 0
    assert fixed(after, look, unsafe=True)[1] == 0


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_suggested_edit_mends_what_it_is_about(code: str) -> None:
    text = CATALOGUE[code].example
    found = check(text, ALL)
    for it in found:
        if not it.edits or any(edit.span.source is not it.span.source for edit in it.edits):
            continue
        after = check(apply(text, it.edits), ALL)
        assert [d.code for d in after].count(it.code) < [d.code for d in found].count(it.code), it.message
        assert not any(d.code.startswith("E1") for d in after) or it.code.startswith("E1"), it.message


TWICE = "dense(8) -> repeat 3 { dense(8) -> tanh } -> dense(10)"


@pytest.mark.parametrize(
    ("steps", "edited"),
    [
        ("dense(64) -> dense(10)", "dense(64) -> relu -> dense(10)"),
        ("repeat 2 { tanh -> dense(64) } -> dense(10)", "repeat 2 { tanh -> dense(64) } -> relu -> dense(10)"),
        (TWICE, TWICE),  # inside the braces every copy would change
        ("repeat 3 { dense(64) -> tanh -> dense(64) } -> tanh -> dense(10)", None),
        ("for n in [32, 16] { dense(n) -> tanh -> dense(n) } -> tanh -> dense(10)", None),
        ("dense(64) -> Wide -> dense(10)", None),
        ("Pair -> tanh -> dense(10)", None),
    ],
)
def test_an_activation_between_dense_layers_is_no_edit_where_it_would_stand_in_several_places(
    steps: str, edited: str | None
) -> None:
    wide = "block Wide(x: f32[N]) -> f32[_] { return x -> dense(32) -> tanh }\n"
    blocks = wide + "block Pair(x: f32[N]) -> f32[_] { return x -> dense(32) -> dense(32) }\n"
    text = blocks + net(f"logits = image -> flatten -> {steps}\noutput logits")
    (found,) = [each for each in look(Source("test.kmodel", text)) if each.code == "W610"]
    if steps.startswith("Pair"):  # both are in the block, one behind the other
        assert mended(text, unsafe=True)[0] == text.replace("dense(32) -> dense(32)", "dense(32) -> relu -> dense(32)")
        return
    assert bool(found.edits) == (edited not in (None, steps))
    if found.edits:
        assert apply(text, found.edits) == text.replace(steps, edited or steps)
