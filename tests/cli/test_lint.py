"""`kdsl lint`: the three forms, several files, standard input, files that cannot be read; and how little it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_file_without_mistakes(kdsl, tiny: Path) -> None:
    done = kdsl("lint", tiny)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No problems found.\n", "")


def test_full_findings_show_the_place(kdsl, broken: Path) -> None:
    done = kdsl("lint", "broken.kmodel")
    assert done.returncode == 1
    assert done.stdout.startswith("error[E114]: ")
    assert "--> broken.kmodel:4:" in done.stdout
    assert "1 error. `kdsl explain E114` says more" in done.stdout
    assert done.stderr == ""


def test_concise_findings(kdsl, broken: Path) -> None:
    done = kdsl("lint", "broken.kmodel", "--output", "concise")
    assert done.returncode == 1
    assert done.stdout.startswith("broken.kmodel:4:") and done.stdout.count("\n") == 1


def test_json_findings(kdsl, tiny: Path, broken: Path) -> None:
    done = kdsl("lint", "broken.kmodel", tiny, "--output", "json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)
    assert (finding["code"], finding["filename"], finding["location"]["row"]) == ("E114", "broken.kmodel", 4)
    assert json.loads(kdsl("lint", tiny, "--output", "json").stdout) == []


def test_standard_input(kdsl, broken: Path) -> None:
    text = broken.read_text(encoding="utf-8")
    done = kdsl("lint", "-", "--stdin-filename", "in editor.kmodel", "--output", "concise", input=text)
    assert done.returncode == 1
    assert done.stdout.startswith("in editor.kmodel:4:")
    assert kdsl("lint", "-", "--output", "concise", input=text).stdout.startswith("<stdin>:4:")


def test_a_folder_means_every_model_in_it(kdsl, tiny: Path, broken: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    broken.rename(tmp_path / "deep" / "broken.kmodel")
    done = kdsl("lint", ".", "--output", "concise")
    assert done.returncode == 1
    assert done.stdout.startswith("deep/broken.kmodel:4:")
    (tmp_path / "deep" / "broken.kmodel").unlink()
    assert kdsl("lint", "tiny.kmodel", ".").stdout == "No problems found.\n"
    empty = kdsl("lint", "deep")
    assert empty.returncode == 2 and "has no .kmodel file in it" in empty.stderr


@pytest.mark.parametrize(
    ("name", "says", "help"),
    [
        ("tinny.kmodel", "error: tinny.kmodel cannot be read: there is no such file", "did you mean tiny.kmodel?"),
        ("nowhere/a.kmodel", "there is no such file", "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_read_is_exit_2(kdsl, tiny: Path, name: str, says: str, help: str) -> None:
    done = kdsl("lint", name, tiny)
    assert done.returncode == 2
    assert says in done.stderr and help in done.stderr
    assert done.stdout == "No problems found.\n"  # the other file was checked all the same


def test_what_is_no_text_is_a_finding(kdsl, tmp_path: Path) -> None:
    (tmp_path / "latin.kmodel").write_bytes("\nmodel Flüche {}".encode("latin-1"))
    with (tmp_path / "huge.kmodel").open("wb") as file:
        file.truncate(5_000_000)
    done = kdsl("lint", ".", "--output", "concise")
    assert done.returncode == 1
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["huge.kmodel:1:1:", "E151"],
        ["latin.kmodel:2:9:", "E152"],
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistakes(kdsl, tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8")
    tiny.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert kdsl("lint", tiny).returncode == 0


def test_linting_imports_neither_numpy_nor_numba_nor_jinja(tiny: Path, environment: dict[str, str]) -> None:
    code = (
        "import sys; from kdsl.cli import main; code = main(['lint', sys.argv[1]]); "
        "print(sorted({'numpy', 'numba', 'llvmlite', 'jinja2', 'lark', 'sklearn'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tiny)], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "No problems found.\n[]\n")


def test_linting_imports_only_what_the_file_needs(environment: dict[str, str]) -> None:
    """Linting is mostly importing: a budget of modules, which unlike one of milliseconds is the same on every machine."""
    digits = Path(__file__).parents[2] / "models" / "digits.kmodel"
    code = (
        "import sys; from kdsl.cli import main; main(['lint', sys.argv[1]]); "
        "print(sum(name.startswith('kdsl.') for name in sys.modules)); "
        "print(sorted({'dataclasses', 'inspect', 'ast', 'json', 'kdsl.passes.pipeline', 'kdsl.ops.einsum'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(digits)], env=environment, capture_output=True, text=True)
    said, count, needless = done.stdout.splitlines()
    assert (said, needless) == ("No problems found.", "[]")
    assert int(count) <= 175


def test_mistakes_of_an_imported_file_are_said_once(kdsl, tmp_path: Path) -> None:
    (tmp_path / "part.kmodel").write_text("block Part(x: f32[C]) -> f32[C] {\n  return x -> Dense(C)\n}\n")
    net = 'import Part from "part.kmodel"\nmodel Net {\n  input x: f32[4]\n  output y = x -> Part\n}\n'
    for name in ("a", "b"):
        (tmp_path / f"{name}.kmodel").write_text(net)
    found = json.loads(kdsl("lint", str(tmp_path), "--output", "json").stdout)
    assert sorted((Path(each["filename"]).name, each["code"]) for each in found) == [
        ("a.kmodel", "E234"),
        ("b.kmodel", "E234"),
        ("part.kmodel", "E201"),
    ]
