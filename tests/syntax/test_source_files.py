"""Reading files: what is no text in UTF-8, or no file at all, is said and not raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.text import render_text
from kdsl.source import SIZE_LIMIT, Source, read


def refused(path: Path | str) -> Diagnostic:
    result = read(path)
    assert isinstance(result, Diagnostic)
    return result


def test_a_file_is_read_under_the_name_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "m.kmodel"
    path.write_bytes(b"\xef\xbb\xbfdim T = 3\r\n")
    source = read(path)
    assert isinstance(source, Source)
    assert (source.name, source.text) == (str(path), "dim T = 3\r\n")


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reasons = {
        tmp_path: "it is a folder",
        tmp_path / "pipe": "it is not a regular file",
        tmp_path / "missing.kmodel": "there is no such file",
        "/dev/zero": "it is not a regular file",
        "a\0b": "its name is not valid",
    }
    for path, reason in reasons.items():
        problem = refused(path)
        assert (problem.code, problem.message) == ("E150", f"this file cannot be read: {reason}")
        assert render_text([problem]).count("\n") == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "m.kmodel"
    path.touch(mode=0)
    assert "permission denied" in refused(path).message


def test_size(tmp_path: Path) -> None:
    path = tmp_path / "m.kmodel"
    path.write_bytes(b"#" * SIZE_LIMIT)
    assert isinstance(read(path), Source)
    path.write_bytes(b"#" * (SIZE_LIMIT + 1))
    assert refused(path).code == "E151"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_place_of_a_bad_byte(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "m.kmodel"
    path.write_bytes(mark + "# größer\ndim \xff = 3\n".encode().replace(b"\xc3\xbf", b"\xff"))
    problem = refused(path)
    assert (problem.code, problem.message) == ("E152", "the byte 0xFF is not UTF-8")
    assert (problem.span.line, problem.span.column) == (2, 5)


def test_a_character_cut_off_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "m.kmodel"
    path.write_bytes(b"dim T = 3 # \xe2\x82")
    assert refused(path).span.column == 13
