"""`kdsl draw`."""

from __future__ import annotations

from pathlib import Path


def test_draws_beside_the_model(kdsl, tiny: Path) -> None:
    done = kdsl("draw", "tiny.kmodel")
    assert (done.returncode, done.stdout) == (0, "wrote tiny.svg\n")
    assert tiny.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg ")


def test_the_format_follows_the_name(kdsl, tiny: Path) -> None:
    kdsl("draw", tiny, "-o", tiny.with_name("a.dot"))
    assert tiny.with_name("a.dot").read_text(encoding="utf-8").startswith('digraph "Tiny"')
    shown = kdsl("draw", tiny, "--format", "mermaid", "-o", "-")
    assert "flowchart TD" in shown.stdout and shown.returncode == 0


def test_settings_and_depth(kdsl, tiny: Path) -> None:
    assert "dense#40;9#41;" in kdsl("draw", tiny, "--format", "mermaid", "-o", "-", "--set", "hidden=9").stdout
    wrong = kdsl("draw", tiny, "--depth", "x")
    assert wrong.returncode == 2 and "x is not a whole number" in wrong.stderr


def test_a_folder_that_is_not_there(kdsl, tiny: Path) -> None:
    done = kdsl("draw", tiny, "-o", "nowhere/a.svg")
    assert done.returncode == 2 and "cannot be written" in done.stderr


def test_errors_of_the_model(kdsl, broken: Path) -> None:
    done = kdsl("draw", "broken.kmodel")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith("error[E114]: ")
    assert not broken.with_suffix(".svg").exists()
