"""`kdsl new` and `kdsl explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl.diagnostics.catalogue import CATALOGUE


def test_the_starter_is_clean(kdsl, tmp_path: Path) -> None:
    done = kdsl("new", "my_net.kmodel")
    assert done.returncode == 0
    assert done.stdout.startswith("wrote my_net.kmodel\n")
    assert "model MyNet(" in (tmp_path / "my_net.kmodel").read_text(encoding="utf-8")
    assert kdsl("lint", "my_net.kmodel").stdout == "No problems found.\n"


def test_names(kdsl, tmp_path: Path) -> None:
    kdsl("new")
    kdsl("new", "_2nd")
    kdsl("new", "model")
    assert "model Network(" in (tmp_path / "network.kmodel").read_text(encoding="utf-8")
    assert "model NetModel(" in (tmp_path / "model.kmodel").read_text(encoding="utf-8")
    assert "model Net2nd(" in (tmp_path / "_2nd.kmodel").read_text(encoding="utf-8")
    assert kdsl("lint", ".").returncode == 0


def test_nothing_is_overwritten(kdsl, tiny: Path) -> None:
    before = tiny.read_bytes()
    done = kdsl("new", "tiny.kmodel")
    assert done.returncode == 2
    assert "tiny.kmodel exists, and stays as it is" in done.stderr
    assert tiny.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("numpy.kmodel", "it would hide the package numpy"),
        ("random", "it would hide Python's own module random"),
        ("my-net", "import my-net would not be Python"),
        ("nowhere/net", "cannot be written: No such file or directory"),
    ],
)
def test_names_that_could_not_be_built(kdsl, tmp_path: Path, name: str, says: str) -> None:
    done = kdsl("new", name)
    assert done.returncode == 2 and says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_explain_by_code_and_by_name(kdsl) -> None:
    entry = CATALOGUE["E114"]
    done = kdsl("explain", "e114")
    assert done.returncode == 0
    assert done.stdout.startswith(f"E114 {entry.name}: {entry.title}\n")
    assert kdsl("explain", entry.name).stdout == done.stdout


def test_explain_lists_every_code(kdsl) -> None:
    lines = kdsl("explain", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(CATALOGUE)


def test_explain_of_an_unknown_code(kdsl) -> None:
    done = kdsl("explain", "E1144")
    assert done.returncode == 2
    assert "error: kdsl has no code E1144\n  help: did you mean E114? " in done.stderr
