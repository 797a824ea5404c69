"""The cache of modules: where it is, that it holds what was asked for, and that it does not grow for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kdsl import cache


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KDSL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_each_text_has_a_folder_of_its_own(own: Path) -> None:
    first, second = cache.store("net", "x = 1\n"), cache.store("net", "x = 2\n")
    assert first != second and first.name == second.name == "net.py"
    assert cache.store("net", "x = 1\n") == first
    assert first.read_text(encoding="utf-8") == "x = 1\n"


def test_a_file_that_was_changed_is_written_anew_and_an_unchanged_one_is_not(own: Path) -> None:
    path = cache.store("net", "x = 1\n")
    os.utime(path, ns=(0, 0))
    assert cache.store("net", "x = 1\n").stat().st_mtime_ns == 0
    path.write_text("x = 2\n", encoding="utf-8")
    assert cache.store("net", "x = 1\n").read_text(encoding="utf-8") == "x = 1\n"


def test_the_modules_used_longest_ago_go_first(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", 3)
    paths = [cache.store("net", f"x = {i}\n") for i in range(3)]
    for age, path in enumerate(paths):
        os.utime(path.parent, (1000 + age, 1000 + age))
    (own / "not a module").mkdir()
    cache.store("net", "x = 0\n")  # used again
    cache.store("net", "x = 3\n")
    assert [path.exists() for path in paths] == [True, False, True]
    assert (own / "not a module").exists()


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KDSL_CACHE_DIR", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.folder() == Path("/elsewhere/kdsl")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "kdsl"
