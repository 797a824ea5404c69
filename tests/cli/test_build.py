"""`kdsl build`: where the module goes, what is never overwritten, and that the same input gives the same bytes."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from kdsl.cli.output import unusable

NUMPY = ("--target", "numpy")


def test_the_module_goes_beside_the_model(kdsl, tiny: Path) -> None:
    done = kdsl("build", "tiny.kmodel", *NUMPY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote tiny.py\n", "")
    assert "class Tiny(" in tiny.with_suffix(".py").read_text(encoding="utf-8")
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["tiny.kmodel", "tiny.py"]


def test_the_numba_target_is_the_default(kdsl, tiny: Path) -> None:
    assert kdsl("build", "tiny.kmodel").returncode == 0
    assert "numba" in tiny.with_suffix(".py").read_text(encoding="utf-8")


def test_an_output_that_would_not_change_is_not_written(kdsl, tiny: Path) -> None:
    kdsl("build", "tiny.kmodel", *NUMPY)
    output = tiny.with_suffix(".py")
    os.utime(output, ns=(0, 0))
    done = kdsl("build", "tiny.kmodel", *NUMPY)
    assert (done.returncode, done.stdout) == (0, "tiny.py is up to date\n")
    assert output.stat().st_mtime_ns == 0
    assert kdsl("build", "tiny.kmodel", *NUMPY, "--set", "hidden=5").stdout == "wrote tiny.py\n"
    assert output.stat().st_mtime_ns > 0


def test_other_outputs(kdsl, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    assert kdsl("build", tiny, *NUMPY, "-o", "net.py").stdout == "wrote net.py\n"
    assert kdsl("build", tiny, *NUMPY, "-o", "lib").returncode == 0
    printed = kdsl("build", tiny, *NUMPY, "-o", "-").stdout
    assert printed == (tmp_path / "net.py").read_text(encoding="utf-8")
    assert printed == (tmp_path / "lib" / "tiny.py").read_text(encoding="utf-8")


def test_set_changes_parameters(kdsl, tiny: Path) -> None:
    def shapes(*settings: str) -> str:
        return kdsl("build", tiny, *NUMPY, "-o", "-", *settings).stdout

    assert "(4, 4)" in shapes() and "(4, 9)" not in shapes()
    assert "(4, 9)" in shapes("--set", "hidden=9")
    assert "(4, 9)" in shapes("--set", "hidden = 3 * 3")


@pytest.mark.parametrize(
    ("setting", "code", "says"),
    [
        ("hidden", 2, "--set hidden sets nothing"),
        ("hiden=9", 1, "did you mean `hidden`?"),
        ("hidden=many", 1, "`hidden` is a whole number"),
        ("hidden=1/3", 1, "`hidden` is a whole number"),
    ],
)
def test_settings_that_cannot_be(kdsl, tiny: Path, setting: str, code: int, says: str) -> None:
    done = kdsl("build", tiny, *NUMPY, "--set", setting)
    assert done.returncode == code
    assert says in done.stderr
    assert not tiny.with_suffix(".py").exists()


def test_float64(kdsl, tiny: Path) -> None:
    assert "float64" in kdsl("build", tiny, *NUMPY, "--dtype", "f64", "-o", "-").stdout


def test_a_model_with_errors_is_exit_1_and_leaves_the_old_module(kdsl, tiny: Path) -> None:
    kdsl("build", "tiny.kmodel", *NUMPY)
    before = tiny.with_suffix(".py").read_bytes()
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("-> relu", "-> rleu"), encoding="utf-8")
    done = kdsl("build", "tiny.kmodel", *NUMPY)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--> tiny.kmodel:4:" in done.stderr and "did you mean `relu`?" in done.stderr
    assert "error: tiny.kmodel has 1 error\n" in done.stderr
    assert tiny.with_suffix(".py").read_bytes() == before


def test_a_file_without_a_model(kdsl, tmp_path: Path) -> None:
    (tmp_path / "empty.kmodel").write_text("# nothing yet\n", encoding="utf-8")
    done = kdsl("build", "empty.kmodel", *NUMPY)
    assert done.returncode == 1
    assert "empty.kmodel has no model in it" in done.stderr


@pytest.mark.parametrize("text", ["x = 1\n", "", '"""Made by kdsl and me."""\n'])
def test_a_file_that_kdsl_did_not_make_stays(kdsl, tiny: Path, text: str) -> None:
    output = tiny.with_suffix(".py")
    output.write_text(text, encoding="utf-8")
    done = kdsl("build", "tiny.kmodel", *NUMPY)
    assert done.returncode == 2
    assert "was not made by kdsl, so it stays as it is" in done.stderr
    assert output.read_text(encoding="utf-8") == text
    assert kdsl("build", "tiny.kmodel", *NUMPY, "--force").stdout == "wrote tiny.py\n"
    assert kdsl("build", "tiny.kmodel", *NUMPY, "--set", "hidden=5").returncode == 0  # now it is kdsl's


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("numpy.py", "hide the package numpy"),
        ("Random.py", "hide Python's own module random"),
        ("my-net.py", "import my-net would not be Python"),
        ("class.py", "a word of Python's"),
        ("con.py", "a device on Windows"),
        ("ﬁ.py", "would not be Python"),
        ("net.txt", "does not end in .py"),
        ("nowhere/net.py", "there is no folder"),
    ],
)
def test_names_that_would_do_harm(kdsl, tiny: Path, tmp_path: Path, name: str, reason: str) -> None:
    done = kdsl("build", tiny, *NUMPY, "-o", name, "--force")
    assert done.returncode == 2
    assert reason in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.kmodel"]


def test_the_default_name_is_held_to_the_same_rules(kdsl, tiny: Path) -> None:
    tiny.rename(tiny.with_name("my-net.kmodel"))
    done = kdsl("build", "my-net.kmodel", *NUMPY)
    assert done.returncode == 2
    assert "choose another: -o my_net.py" in done.stderr


def test_every_module_of_python_is_refused() -> None:
    assert all(unusable(name) for name in sys.stdlib_module_names)
    assert not unusable("fashion_mlp") and not unusable("numpy_net")


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid"), reason="permissions are POSIX's")
def test_permissions_and_links_are_kept(kdsl, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "net.py", tmp_path / "net.py"
    link.symlink_to(target)
    kdsl("build", tiny, *NUMPY, "-o", "net.py")
    assert link.is_symlink() and target.exists()
    target.chmod(0o640)
    kdsl("build", tiny, *NUMPY, "-o", "net.py", "--set", "hidden=5")
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_old_module(kdsl, tiny: Path, tmp_path: Path) -> None:
    """A file size limit stands in for the disk: the write fails half way, and nothing of it is left."""
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    kdsl("build", "tiny.kmodel", *NUMPY)
    before = tiny.with_suffix(".py").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        done = kdsl("build", "tiny.kmodel", *NUMPY, "--set", "hidden=5", PYTHONDONTWRITEBYTECODE="1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.returncode == 2
    assert "tiny.py cannot be written: File too large" in done.stderr
    assert tiny.with_suffix(".py").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.kmodel", "tiny.py"]


def test_the_bytes_depend_on_the_input_alone(kdsl, tiny: Path, tmp_path: Path) -> None:
    other = tmp_path / "other folder"
    other.mkdir()
    first = kdsl("build", "tiny.kmodel", "-o", "-", PYTHONHASHSEED="1").stdout
    again = kdsl(
        "build", f"../{tiny.name}", "-o", "-", cwd=other, PYTHONHASHSEED="2", LC_ALL="C", TZ="Asia/Tokyo"
    ).stdout
    assert first == again
    assert str(tmp_path) not in first
    assert first.endswith("\n") and "\r" not in first
    ast.parse(first)


def test_passes_can_be_left_out(kdsl, tiny: Path) -> None:
    whole = kdsl("build", tiny, "-o", "-").stdout
    for name in ("canonicalize", "reuse_buffers"):
        done = kdsl("build", tiny, "-o", "-", "--no-pass", name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout != whole
    wrong = kdsl("build", tiny, *NUMPY, "--no-pass", "canonicalise")
    assert wrong.returncode == 2
    assert "there is no optimisation canonicalise\n  help: did you mean canonicalize?" in wrong.stderr


def test_warm_runs_the_module_once(kdsl, tiny: Path) -> None:
    done = kdsl("build", "tiny.kmodel", "--warm")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "wrote tiny.py\ncompiled its kernels\n"
