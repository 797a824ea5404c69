"""What holds for every command: help, version, wrong usage, colour, pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kdsl import __version__
from kdsl.cli.parser import COMMANDS


def test_version(kdsl) -> None:
    for flag in ("--version", "-V"):
        done = kdsl(flag)
        assert (done.returncode, done.stdout) == (0, f"kdsl {__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_the_overview_lists_every_command(kdsl, arguments: tuple[str, ...]) -> None:
    done = kdsl(*arguments)
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(kdsl, command: str) -> None:
    done = kdsl(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: kdsl {command}")
    assert f"examples:\n  kdsl {command}" in done.stdout
    assert kdsl("help", command).stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "says", "help"),
    [
        (["lnt"], "kdsl has no command lnt", "did you mean kdsl lint?"),
        (["compile"], "kdsl has no command compile", "did you mean kdsl build?"),
        (["xyzzy"], "kdsl has no command xyzzy", "the commands are new, lint, format"),
        (["a.kmodel"], "kdsl has no command a.kmodel", "kdsl build a.kmodel"),
        (["lint", "--outptu", "json", "a"], "unrecognized arguments: --outptu", "did you mean --output?"),
        (["lint"], "arguments are required: FILE", "see kdsl lint --help"),
        (["lint", "--output", "xml", "a"], "invalid choice: 'xml'", "see kdsl lint --help"),
        (["--color", "blue", "lint", "a"], "invalid choice: 'blue'", "see kdsl --help"),
    ],
)
def test_wrong_usage_is_exit_2_and_one_clear_line(kdsl, arguments: list[str], says: str, help: str) -> None:
    done = kdsl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: ") and says in first
    assert second.startswith("  help: ") and help in second


@pytest.mark.parametrize("command", ["build", "train --data sklearn:digits", "summary", "ir"])
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("nowhere.kmodel", "nowhere.kmodel cannot be read: there is no such file"),
        (".", ". cannot be read: it is a folder"),
    ],
)
def test_a_model_file_that_is_none(kdsl, command: str, file: str, says: str) -> None:
    name, *options = command.split()
    done = kdsl(name, file, *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"error: {says}"


def test_color_follows_the_flag_then_the_environment(kdsl, broken: Path) -> None:
    def colored(*flags: str, **env: str) -> bool:
        return "\x1b[" in kdsl(*flags, "lint", broken, **env).stdout

    assert not colored()  # no terminal
    assert colored(FORCE_COLOR="1")
    assert not colored(FORCE_COLOR="1", NO_COLOR="1")
    assert not colored("--color", "never", FORCE_COLOR="1")
    assert colored("--color", "always", NO_COLOR="1")
    assert "\x1b[" in kdsl("lint", broken, "--color", "always").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize(("term", "colored"), [("xterm", True), ("dumb", False)])
def test_color_on_a_terminal(broken: Path, environment: dict[str, str], term: str, colored: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "kdsl", "lint", str(broken)],
        stdout=theirs,
        env={**environment, "TERM": term},
        timeout=60,
    )
    os.close(theirs)
    assert (b"\x1b[" in os.read(ours, 10_000)) is colored
    os.close(ours)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGPIPE is POSIX's")
def test_a_reader_that_leaves_ends_it_quietly(environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kdsl", "--help"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # before it prints
    errors = process.stderr.read()
    assert process.wait(60) == 141
    assert errors == b""


def test_an_ascii_terminal_does_not_end_it(kdsl, tmp_path: Path) -> None:
    (tmp_path / "ü.kmodel").write_text("model ü {", encoding="utf-8")
    done = kdsl("lint", "ü.kmodel", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
