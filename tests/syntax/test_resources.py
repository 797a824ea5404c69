"""The grammar is found in a checkout, in an installed package and in a zip file."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from syntax_corpus import TESTS

from kdsl import _resources
from kdsl._resources import read_text

ROOT = TESTS.parent
PARSE = "from kdsl.source import Source\nfrom kdsl.syntax import parse\nimport kdsl\n"
PARSE += "print(kdsl.__file__, len(parse(Source('x', 'dim T = 3')).tree.items))"


def test_a_checkout_has_its_folders_beside_the_package() -> None:
    assert read_text("grammar", "kmodel.lark").startswith("// The kdsl language.")


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kdsl" / "templates" / "kernels"
    kept.mkdir(parents=True)
    (kept / "dense.j2").write_text("größer", encoding="utf-8")
    monkeypatch.setattr(_resources, "HERE", tmp_path / "kdsl")
    assert read_text("templates", "kernels/dense.j2") == "größer"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.lark"):
        read_text("grammar", "nothing.lark")
    monkeypatch.setattr(_resources, "HERE", tmp_path / "kdsl")
    with pytest.raises(FileNotFoundError, match="no_such_folder/"):
        read_text("no_such_folder", "x")


def test_a_zip_file_will_do(tmp_path: Path) -> None:
    packed = tmp_path / "kdsl.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (ROOT / "kdsl").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT))
        archive.write(ROOT / "grammar" / "kmodel.lark", "kdsl/grammar/kmodel.lark")
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(packed), "KDSL_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert done.stdout == f"{packed / 'kdsl' / '__init__.py'} 1\n"
