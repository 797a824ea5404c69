"""The generated pages say what the registries say, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.docs.markdown import anchor
from kdsl.docs.pages import PAGES
from kdsl.elaborate.library import defined_in, files
from kdsl.lint import RULES
from kdsl.ops import LAYERS
from kdsl.training import registry

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def headings(path: Path) -> set[str]:
    """The anchors of a page; GitHub numbers those that come again."""
    found: set[str] = set()
    seen: dict[str, int] = {}
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        name = anchor(heading)
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is stale: run `python -m kdsl.docs` and commit what it writes"


@pytest.mark.parametrize("path", [*DOCS, ROOT / "README.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    dead = []
    for file, place in LINK.findall(re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)):
        if "://" in file:
            continue
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (place and place not in headings(target)):
            dead.append(f"{file}#{place}")
    assert dead == []


def test_everything_has_an_entry() -> None:
    wanted = {
        "layers.md": set(LAYERS),
        "training.md": {
            name
            for table in (
                "LOSSES",
                "METRICS",
                "OPTIMIZERS",
                "SCHEDULES",
                "REGULARIZERS",
                "AUGMENTATIONS",
                "INITIALIZERS",
            )
            for name in getattr(registry, table)
        },
        "diagnostics.md": {f"{entry.code.lower()}-{entry.name}" for entry in CATALOGUE.values()},
        "library.md": {name.lower() for file in files() for name in defined_in(file)},
    }
    for page, names in wanted.items():
        assert names <= headings(ROOT / "docs" / page), page
    lint = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    assert [rule.code for rule in RULES if f"[{rule.code}]" not in lint] == []


def test_keras_names_are_all_in_the_phrase_table() -> None:
    text = (ROOT / "docs" / "keras.md").read_text(encoding="utf-8")
    tables = (LAYERS, registry.LOSSES, registry.METRICS, registry.OPTIMIZERS, registry.INITIALIZERS, registry.SCHEDULES)
    names = {name for table in tables for declared in table.values() for name in declared.keras}
    assert len(names) > 150
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
