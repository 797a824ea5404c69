"""`kdsl format`: files rewritten, --check and --diff, standard input, links and rights, and what is never written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

UGLY = "model  Tiny{\n   input x:f32[4]\n output y = x->dense( 3 )  # last\n}\n"
NEAT = "model Tiny {\n  input x: f32[4]\n  output y = x -> dense(3)  # last\n}\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.kmodel"
    path.write_bytes(UGLY.encode())
    return path


def test_a_file_is_rewritten_once(kdsl, ugly: Path) -> None:
    done = kdsl("format", "ugly.kmodel")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ugly.kmodel formatted\n1 file formatted.\n", "")
    assert ugly.read_bytes() == NEAT.encode()
    before = ugly.stat().st_mtime_ns
    again = kdsl("format", "ugly.kmodel")
    assert (again.returncode, again.stdout) == (0, "1 file unchanged.\n")
    assert ugly.stat().st_mtime_ns == before
    assert [path.name for path in ugly.parent.iterdir()] == ["ugly.kmodel"]


def test_check_writes_nothing(kdsl, ugly: Path) -> None:
    done = kdsl("format", "--check", ".")
    assert (done.returncode, done.stdout) == (1, "ugly.kmodel would be formatted\n1 file would be formatted.\n")
    assert ugly.read_bytes() == UGLY.encode()
    ugly.write_bytes(NEAT.encode())
    assert kdsl("format", "--check", ".").returncode == 0


def test_diff_shows_what_would_change(kdsl, ugly: Path) -> None:
    done = kdsl("format", "--diff", "ugly.kmodel")
    assert done.returncode == 1
    assert done.stdout.startswith("--- ugly.kmodel\n+++ ugly.kmodel\n@@ ")
    assert "\n-model  Tiny{\n" in done.stdout and "\n+model Tiny {\n" in done.stdout
    assert ugly.read_bytes() == UGLY.encode()
    assert "\x1b[32m+model" in kdsl("format", "--diff", "ugly.kmodel", "--color", "always").stdout
    ugly.write_bytes(NEAT.encode())
    assert (kdsl("format", "--diff", "ugly.kmodel").returncode, kdsl("format", "--diff", ".").stdout) == (0, "")


@pytest.mark.parametrize("flag", ["-", "--stdin"])
def test_standard_input(environment: dict[str, str], flag: str) -> None:
    command = [sys.executable, "-m", "kdsl", "format", flag, "--stdin-filename", "a.kmodel"]
    done = subprocess.run(command, env=environment, input=UGLY.replace("\n", "\r\n").encode(), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, NEAT.replace("\n", "\r\n").encode(), b"")


def test_what_has_errors_stays_as_it_is(kdsl, ugly: Path) -> None:
    ugly.write_bytes(UGLY.replace("( 3 )", "( 3 4 )").encode())
    done = kdsl("format", "ugly.kmodel")
    assert done.returncode == 0
    assert done.stderr == "ugly.kmodel: what has errors stays as it is; kdsl lint shows more\n"
    assert " output y = x->dense( 3 4 )  # last\n" in ugly.read_text()
    assert "model Tiny {\n  input x: f32[4]\n" in ugly.read_text()


def test_a_failed_check_leaves_the_file_alone(ugly: Path, environment: dict[str, str]) -> None:
    code = (
        "import sys, kdsl.format.formatter as f; f.problem = lambda *_: 'lost a comment';"
        "from kdsl.cli import main; sys.exit(main(['format', sys.argv[1]]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ugly)], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "stays as it is: the formatted text lost a comment" in done.stderr and "this is a bug in kdsl" in done.stderr
    assert ugly.read_bytes() == UGLY.encode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no files are given"),
        (["nowhere.kmodel"], "nowhere.kmodel cannot be read: there is no such file"),
        (["-", "ugly.kmodel"], "standard input is formatted alone"),
        (["latin.kmodel"], "latin.kmodel: the byte 0xFC is not UTF-8"),
    ],
)
def test_wrong_usage(kdsl, ugly: Path, arguments: list[str], says: str) -> None:
    (ugly.parent / "latin.kmodel").write_bytes("# Flüche\n".encode("latin-1"))
    done = kdsl("format", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert ugly.read_bytes() == UGLY.encode()


def test_one_bad_file_does_not_stop_the_others(kdsl, ugly: Path) -> None:
    assert kdsl("format", "nowhere.kmodel", "ugly.kmodel").returncode == 2
    assert ugly.read_bytes() == NEAT.encode()


@pytest.mark.skipif(sys.platform == "win32", reason="links and rights are POSIX's")
def test_a_link_stays_a_link_and_rights_stay(kdsl, ugly: Path) -> None:
    ugly.chmod(0o640)
    link = ugly.with_name("link.kmodel")
    link.symlink_to(ugly)
    assert kdsl("format", "link.kmodel").returncode == 0
    assert link.is_symlink() and ugly.read_bytes() == NEAT.encode()
    assert ugly.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_cannot_be_written(kdsl, ugly: Path) -> None:
    ugly.parent.chmod(0o500)
    try:
        done = kdsl("format", "ugly.kmodel")
    finally:
        ugly.parent.chmod(0o700)
    assert done.returncode == 2 and "cannot be written" in done.stderr
    assert ugly.read_bytes() == UGLY.encode()


def test_formatting_imports_no_numpy(ugly: Path, environment: dict[str, str]) -> None:
    code = (
        "import sys; from kdsl.cli import main; main(['format', sys.argv[1]]); "
        "print(sorted({'numpy', 'numba', 'jinja2', 'lark', 'kdsl.elaborate'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ugly)], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_comes_with_kdsl_is_in_style(kdsl, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    assert kdsl("new", "fresh.kmodel").returncode == 0
    done = kdsl("format", "--diff", "fresh.kmodel", root / "models", root / "kdsl" / "library")
    assert (done.returncode, done.stdout) == (0, "")
