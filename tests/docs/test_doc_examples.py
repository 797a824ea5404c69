"""Every example of the pages in `docs/` and of the README compiles, or gives just the codes that it announces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kdsl.docs.examples import announced, gives

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for path in (ROOT / "docs").glob("*.md") if path.name != "library.md"
)  # its sources need their files
BLOCK = re.compile(r"^### (?P<name>\S+)$|^```kmodel\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(path: Path) -> list[tuple[str, int, str]]:
    """(the entry it belongs to, line, text) of each example."""
    page, name, found = path.read_text(encoding="utf-8"), "", []
    for match in BLOCK.finditer(page):
        name = match["name"] or name
        if match["text"] is not None:
            found.append(
                (name if path.name == "layers.md" else "", page.count("\n", 0, match.start()) + 2, match["text"])
            )
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_give_what_they_announce(path: Path) -> None:
    wrong = []
    for about, line, text in examples(path):
        found = gives(text, about)
        if found != announced(text):
            wrong.append(f"{path.name}:{line}: announces {announced(text)}, gives {found}\n{text}")
    assert not wrong, "\n".join(wrong)


def test_there_are_examples_of_all_kinds() -> None:
    texts = [text for _, _, text in examples(ROOT / "docs" / "language.md")]
    assert len(texts) > 40
    assert len([text for text in texts if announced(text)]) > 20
    assert len([text for text in texts if "\nmodel " in text]) > 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h = x -> dense(8)", []),
        ("h = nowhere -> dense(8)", ["E202"]),
        ("# q: f32[3]\nh = q + x", ["E402"]),
        ("optimizer = adam(rate = 1)", ["E302"]),
        ("model A {\n  input x: f32[4]\n  h = x -> relu\n  output y = x\n}", ["W603"]),
    ],
)
def test_an_example_that_is_wrong_is_noticed(text: str, expected: list[str]) -> None:
    assert gives(text) == expected
