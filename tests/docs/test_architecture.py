"""The tour names files that exist, and every folder and pass there is."""

from __future__ import annotations

import re
from pathlib import Path

from kdsl.cli.parser import COMMANDS
from kdsl.passes.pipeline import PIPELINE

ROOT = Path(__file__).resolve().parents[2]
TOUR = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_file_it_names_exists() -> None:
    names = set(re.findall(r"`((?:kdsl|tests|models|codegen|grammar|templates)/[\w/.*]*)`", TOUR))
    assert len(names) > 25
    assert [name for name in sorted(names) if not (list(ROOT.glob(name)) or list((ROOT / "kdsl").glob(name)))] == []


def test_the_files_to_start_at_exist() -> None:
    rows = re.findall(r"^\| `(kdsl/\w+/)` \|.*\| (.*) \|$", TOUR, re.MULTILINE)
    assert len(rows) > 10
    for folder, starts in rows:
        assert all((ROOT / folder / name).exists() for name in re.findall(r"`([\w.]+\.py)`", starts)), folder


def test_every_folder_and_pass_is_in_it() -> None:
    folders = {path.parent.name for path in (ROOT / "kdsl").glob("*/__init__.py")}
    assert [name for name in sorted(folders) if f"`kdsl/{name}/`" not in TOUR] == []
    assert [step.name for step in PIPELINE if step.name not in TOUR] == []


def test_every_command_of_the_readme_is_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"kdsl ([a-z]+) ", readme)) & set(re.findall(r"`?kdsl ([a-z]+) [\w.]+\.kmodel", readme))
    assert {"new", "lint", "build", "train"} <= named <= set(COMMANDS)
