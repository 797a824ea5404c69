"""Comments that silence warnings, and the rule about those that silence nothing."""

from __future__ import annotations

import pytest
from test_lint_catalogue import check, codes

from kdsl.diagnostics.edits import apply
from kdsl.lint import DEFAULT

TEXT = """\
model Net {{
  input  image: f32[28, 28]{0}
  {1}
  spare = image -> flatten{2}
  output y = image -> flatten -> dense(10) -> relu -> relu{3}
}}
{4}
"""


def text(*parts: str) -> str:
    return TEXT.format(*parts, *[""] * (5 - len(parts)))


def test_without_a_comment_both_are_reported() -> None:
    assert codes(text()) == ["W603", "W623"]


@pytest.mark.parametrize(
    "parts",
    [
        ("", "", "  # kdsl: ignore[W603]"),
        ("", "# kdsl: ignore[W603]"),
        ("", "", "", "", "# kdsl: ignore-file[W603]"),
        ("", "", "  # kdsl: ignore[unused-value]"),
        ("", "", "  # kdsl:ignore[ W603 ]  for later"),
        ("", "", "  # for later  # kdsl: ignore[W603]"),
    ],
)
def test_a_comment_silences_its_line_the_next_or_the_file(parts: tuple[str, ...]) -> None:
    assert codes(text(*parts)) == ["W623"]


def test_several_codes_and_beginnings() -> None:
    assert codes(text("", "", "", "", "# kdsl: ignore-file[W603, W623]")) == []
    assert codes(text("", "", "", "", "# kdsl: ignore-file[W6]")) == []


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        (("", "", "", "  # kdsl: ignore[W603]"), ["W603", "W623", "W626"]),  # another line
        (("  # kdsl: ignore[W601]",), ["W626", "W603", "W623"]),
        (("", "", "  # kdsl: ignore[W603, W601]"), ["W626", "W623"]),
        (("  # kdsl: ignore[]",), ["W626", "W603", "W623"]),
        (("  # kdsl: ignore[E401]",), ["W626", "W603", "W623"]),
        (("  # kdsl: ignore[nothing]",), ["W626", "W603", "W623"]),
        (("  # kdsl: ignore[W619]",), ["W603", "W623"]),  # a rule that does not run
        (("  # kdsl: ignore",), ["W603", "W623"]),  # no such form
    ],
)
def test_what_silences_nothing_is_reported(parts: tuple[str, ...], wanted: list[str]) -> None:
    assert codes(text(*parts)) == wanted


def test_errors_are_not_silenced() -> None:
    assert codes("model M {\n  input x: f32[4]\n  output y = x -> wibble  # kdsl: ignore[E201]\n}\n") == ["E201"]


@pytest.mark.parametrize(
    ("parts", "after"),
    [
        (("  # kdsl: ignore[W601]",), text()),
        (("", "# kdsl: ignore[W601]"), text().replace("  \n", "", 1)),
        (("  # kdsl: ignore[W601]  because",), text("  # because")),
        (("  # kdsl: ignore[W601]  # because",), text("  # because")),
        (("  # because  # kdsl: ignore[W601]",), text("  # because")),
        (("", "", "  # kdsl: ignore[W603, W601]"), text("", "", "  # kdsl: ignore[W603]")),
        (("", "", "  # kdsl: ignore[W601, W603]"), text("", "", "  # kdsl: ignore[W603]")),
    ],
)
def test_the_fix_takes_out_what_silences_nothing(parts: tuple[str, ...], after: str) -> None:
    before = text(*parts)
    (found,) = (it for it in check(before) if it.code == "W626")
    assert apply(before, found.edits) == after


def test_without_the_rule_nothing_is_said() -> None:
    assert codes(text("  # kdsl: ignore[W601]"), DEFAULT - {"W626"}) == ["W603", "W623"]
