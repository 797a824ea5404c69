"""`kdsl render`."""

from __future__ import annotations

from pathlib import Path


def test_prints_a_model_that_builds(kdsl, tiny: Path) -> None:
    done = kdsl("render", "tiny.kmodel", "--set", "hidden=9")
    assert done.returncode == 0 and done.stderr == ""
    assert "hidden: int = 9" in done.stdout and "logits.dense: kernel [4, 9], bias [9]" in done.stdout
    tiny.with_name("again.kmodel").write_text(done.stdout, encoding="utf-8")
    assert kdsl("lint", "again.kmodel").returncode == 0


def test_writes_a_file_but_never_the_model_itself(kdsl, tiny: Path) -> None:
    assert kdsl("render", tiny, "-o", "full.kmodel").stdout == "wrote full.kmodel\n"
    before = tiny.read_text(encoding="utf-8")
    done = kdsl("render", tiny, "-o", tiny)
    assert done.returncode == 2 and "is the model itself" in done.stderr
    assert tiny.read_text(encoding="utf-8") == before


def test_errors_of_the_model(kdsl, broken: Path) -> None:
    done = kdsl("render", "broken.kmodel")
    assert (done.returncode, done.stdout) == (1, "")
