"""Which pages are generated, and which of them no longer say what the registries say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kdsl.docs.diagnostics import diagnostics_page
from kdsl.docs.keras import keras_page
from kdsl.docs.layers import layers_page
from kdsl.docs.library import library_page
from kdsl.docs.lint import lint_page
from kdsl.docs.training import training_page

FOLDER = Path(__file__).resolve().parents[2] / "docs"

PAGES: dict[str, Callable[[], str]] = {
    "layers.md": layers_page,
    "training.md": training_page,
    "library.md": library_page,
    "diagnostics.md": diagnostics_page,
    "lint.md": lint_page,
    "keras.md": keras_page,
}


def stale() -> list[str]:
    """The names of the pages that differ from what would be written now."""
    return [name for name, page in PAGES.items() if written(FOLDER / name) != page()]


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
