"""Imports: found inside the project only, read once, never in a circle; what is wrong with a file is said where it is."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from elaborate_corpus import check

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.elaborate import Elaborated, elaborate
from kdsl.elaborate import imports as importing
from kdsl.elaborate.project import MARKS, unusable
from kdsl.source import Source
from kdsl.syntax import parse

TWICE = "block Twice(x: f32[C]) -> f32[2 * C] {\n  return x -> dense(2 * C)\n}\n"
USE = "model Net {\n  input x: f32[4]\n  output y = x -> Twice\n}\n"


class Project:
    """A folder with a `pyproject.toml` and files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        (self.folder / "pyproject.toml").write_text("")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def elaborated(self, text: str, name: str = "net.kmodel", **settings: str) -> Elaborated:
        parsed = parse(Source(str(self.folder / name), text))
        assert not parsed.diagnostics
        return elaborate(parsed.tree, settings)

    def check(self, text: str, name: str = "net.kmodel", **settings: str) -> list[Diagnostic]:
        return check(text, str(self.folder / name), **settings)

    def codes(self, text: str, **settings: str) -> list[str]:
        return [found.code for found in self.check(text, **settings)]

    def only(self, text: str) -> Diagnostic:
        (found,) = self.check(text)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# -- what imports bring ------------------------------------------------------------------------------


def test_blocks_fns_and_dims_are_imported_also_under_other_names(project: Project) -> None:
    project.write("blocks/parts.kmodel", f"dim WIDTH = 6\nfn half(x) = x / 2\n{TWICE}")
    text = 'import Twice as Double, WIDTH, half from "blocks/parts.kmodel"\n' + USE.replace(
        "x -> Twice", "half(x) -> Double -> dense(WIDTH)"
    )
    model = project.elaborated(text).models[0]
    assert [weight.name for weight in model.weights][::2] == ["y.Double.dense.kernel", "y.dense.kernel"]
    assert model.outputs[0][1].shape == (6,)


def test_a_block_sees_the_names_of_its_own_file(project: Project) -> None:
    project.write(
        "a.kmodel",
        "dim K = 3\nblock Own(x: f32[C]) -> f32[K] {\n  return x -> Inner\n}\n"
        + TWICE.replace("Twice", "Inner").replace("2 * C", "K"),
    )
    text = 'import Own from "a.kmodel"\ndim K = 7\nblock Inner(x: f32[C]) -> f32[1] {\n  return x -> dense(1)\n}\n'
    model = project.elaborated(
        text + "model Net {\n  input x: f32[K]\n  output y = x -> Own\n  output z = x -> Inner\n}\n"
    ).models[0]
    assert [type.shape for _, type in model.outputs] == [(3,), (1,)]


def test_paths_are_relative_to_the_file_they_stand_in(project: Project) -> None:
    project.write("blocks/deep/twice.kmodel", TWICE)
    project.write(
        "blocks/all.kmodel",
        'import Twice from "deep/twice.kmodel"\nblock Four(x: f32[C]) -> f32[4 * C] {\n  return x -> Twice -> Twice\n}\n',
    )
    text = 'import Four from "./blocks/../blocks/all.kmodel"\n' + USE.replace("Twice", "Four")
    assert project.elaborated(text).models[0].outputs[0][1].shape == (16,)


def test_a_diamond_is_read_once(project: Project) -> None:
    project.write("base.kmodel", TWICE)
    for name in "ab":
        project.write(
            f"{name}.kmodel",
            f'import Twice from "base.kmodel"\nblock {name.upper()}(x: f32[C]) -> f32[_] {{\n  return x -> Twice\n}}\n',
        )
    read: list[str] = []

    def reader(path: str, name: str) -> object:
        read.append(os.path.basename(path))
        return importing.read_import(path, name)

    text = 'import A from "a.kmodel"\nimport B from "b.kmodel"\nimport Twice from "base.kmodel"\n' + USE
    parsed = parse(Source(str(project.folder / "net.kmodel"), text))
    found = elaborate(parsed.tree, reader=reader)  # type: ignore[arg-type]
    assert not found.diagnostics and sorted(read) == ["a.kmodel", "b.kmodel", "base.kmodel"]


def test_a_reader_gives_what_an_editor_has_not_saved(project: Project) -> None:
    texts = {str(project.folder / "twice.kmodel"): TWICE}
    parsed = parse(Source(str(project.folder / "net.kmodel"), 'import Twice from "twice.kmodel"\n' + USE))
    found = elaborate(parsed.tree, reader=lambda path, name: Source(name, texts[path]))
    assert not found.diagnostics and found.models


def test_dims_of_imported_files_are_set_by_the_name_they_have_here(project: Project) -> None:
    project.write("a.kmodel", "dim T = 3\ndim U = 2 * T\nblock Own(x: f32[C]) -> f32[U] {\n  return x -> dense(U)\n}\n")
    text = 'import Own, T as STEPS from "a.kmodel"\n' + USE.replace("Twice", "Own")
    assert project.elaborated(text).models[0].outputs[0][1].shape == (6,)
    assert project.elaborated(text, STEPS="5").models[0].outputs[0][1].shape == (10,)
    assert project.codes(text, T="5") == ["E202"]
    assert project.codes(text, Own="5") == ["E202"]


# -- what cannot be imported -------------------------------------------------------------------------


def test_a_missing_file_is_answered_with_its_neighbour(project: Project) -> None:
    project.write("blocks/twice.kmodel", TWICE)
    found = project.only('import Twice from "blocks/twise.kmodel"\n' + USE)
    assert (found.code, found.message) == ("E230", 'there is no file "blocks/twise.kmodel"')
    assert found.help == 'did you mean `"blocks/twice.kmodel"`?'
    assert project.codes('import Twice from "blocks/twice"\n' + USE) == ["E230"]
    assert project.codes('import Twice from "nowhere/at/all.kmodel"\n' + USE) == ["E230"]


OUTSIDE = [
    "../outside.kmodel", "blocks/../../outside.kmodel", "/etc/passwd", "/etc/passwd.kmodel", "C:\\x.kmodel",
    "C:/x.kmodel", "file:///etc/x.kmodel", "~/x.kmodel", "\\\\host\\share\\x.kmodel", "//host/share/x.kmodel", "",
    "../../../../../../../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("written", OUTSIDE)
def test_nothing_outside_of_the_project_is_read(project: Project, written: str) -> None:
    secret = "block Secret(x: f32[C]) -> f32[C] { syntax error here"
    (project.folder.parent / "outside.kmodel").write_text(secret)
    found = project.only(f'import Twice from "{written}"\n' + USE)
    assert found.code == "E231" and (written in found.message)
    assert "Secret" not in repr(found) and "syntax" not in repr(found.notes)


def test_paths_that_are_none() -> None:
    assert all(unusable(path) for path in ("a\0.kmodel", " ", "C:x.kmodel", "a\\b.kmodel", "~root/x.kmodel"))
    assert not any(unusable(path) for path in ("a.kmodel", "./a.kmodel", "../a.kmodel", "a b/c.kmodel"))


@pytest.mark.parametrize("kind", ["file", "folder", "chain"])
def test_links_are_followed_before_the_project_is_asked_for(project: Project, kind: str) -> None:
    outside = project.folder.parent / "elsewhere"
    outside.mkdir()
    (outside / "twice.kmodel").write_text(TWICE)
    if kind == "folder":
        (project.folder / "blocks").symlink_to(outside)
    else:
        (project.folder / "blocks").mkdir()
        (project.folder / "blocks" / "twice.kmodel").symlink_to(outside / "twice.kmodel")
    if kind == "chain":
        (project.folder / "blocks" / "again.kmodel").symlink_to("twice.kmodel")
    name = "again" if kind == "chain" else "twice"
    assert project.codes(f'import Twice from "blocks/{name}.kmodel"\n' + USE) == ["E231"]


def test_links_inside_of_the_project_are_followed(project: Project) -> None:
    project.write("blocks/twice.kmodel", TWICE)
    (project.folder / "link.kmodel").symlink_to(project.folder / "blocks" / "twice.kmodel")
    assert project.codes('import Twice from "link.kmodel"\n' + USE) == []
    (project.folder / "secret.txt").write_text("password")
    (project.folder / "text.kmodel").symlink_to(project.folder / "secret.txt")
    found = project.only('import Twice from "text.kmodel"\n' + USE)
    assert found.code == "E230" and "password" not in repr(found)
    (project.folder / "dangling.kmodel").symlink_to(project.folder / "gone.kmodel")
    assert project.codes('import Twice from "dangling.kmodel"\n' + USE) == ["E230"]
    (project.folder / "loop.kmodel").symlink_to(project.folder / "loop.kmodel")
    assert project.codes('import Twice from "loop.kmodel"\n' + USE) in (["E230"], ["E234"])


def test_without_a_project_the_folder_of_the_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "twice.kmodel").write_text(TWICE)
    (tmp_path / "inner" / "twice.kmodel").write_text(TWICE)
    marked = any((above / mark).exists() for above in tmp_path.parents for mark in MARKS)
    name = str(tmp_path / "inner" / "net.kmodel")
    assert check('import Twice from "twice.kmodel"\n' + USE, name) == []
    if not marked:
        assert [d.code for d in check('import Twice from "../twice.kmodel"\n' + USE, name)] == ["E231"]


def test_what_is_no_text_is_refused_at_once(project: Project) -> None:
    os.mkfifo(project.folder / "pipe.kmodel")
    (project.folder / "folder.kmodel").mkdir()
    (project.folder / "bytes.kmodel").write_bytes(b"dim T = 3\ndim \xff = 3\n")
    with open(project.folder / "large.kmodel", "wb") as file:
        file.truncate(5 * 2**30)  # a hole: nothing of it is read beyond the limit
    reasons = {"pipe": "not a regular file", "folder": "a folder", "bytes": "line 2, column 5", "large": "4 MiB"}
    for name, reason in reasons.items():
        start = time.perf_counter()
        found = project.only(f'import Twice from "{name}.kmodel"\n' + USE)
        assert time.perf_counter() - start < 0.5
        assert found.code == "E234" and reason in found.message and f'"{name}.kmodel"' in found.message


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_that_may_not_be_read(project: Project) -> None:
    project.write("closed.kmodel", TWICE).chmod(0)
    assert project.codes('import Twice from "closed.kmodel"\n' + USE) == ["E234"]


# -- circles and limits ------------------------------------------------------------------------------


def test_a_file_that_imports_itself_need_not_exist(project: Project) -> None:
    found = project.only('import Twice from "net.kmodel"\n' + USE)
    assert (found.code, found.message) == ("E232", '"net.kmodel" imports itself')


def test_a_circle_is_shown_as_a_chain(project: Project) -> None:
    names = ["a", "b", "c"]
    for name, following in zip(names, [*names[1:], "a"], strict=True):
        block = f"block Part{name}(x: f32[C]) -> f32[C] {{\n  return x -> Part{following}\n}}\n"
        project.write(f"{name}.kmodel", f'import Part{following} from "{following}.kmodel"\n{block}')
    found = project.check('import Parta from "a.kmodel"\n' + USE.replace("Twice", "Parta"))
    assert [each.code for each in found] == ["E234", "E232"]
    assert found[1].message == '"a.kmodel" imports itself: a.kmodel -> b.kmodel -> c.kmodel -> a.kmodel'
    assert os.path.basename(found[1].span.source.name) == "c.kmodel"


def test_a_circle_through_a_hard_link_is_found(project: Project) -> None:
    path = project.write("a.kmodel", 'import A from "b.kmodel"\nblock A(x: f32[C]) -> f32[C] {\n  return x\n}\n')
    os.link(path, project.folder / "b.kmodel")
    assert "E232" in project.codes('import A from "a.kmodel"\n' + USE.replace("Twice", "A"))


def test_chains_and_crowds_of_files_are_limited(project: Project) -> None:
    for number in range(200):
        project.write(
            f"n{number}.kmodel",
            f'import B{number + 1} from "n{number + 1}.kmodel"\nblock B{number}(x: f32[C]) -> f32[C] {{\n  return x\n}}\n',
        )
    start = time.perf_counter()
    codes = project.codes('import B0 from "n0.kmodel"\n' + USE.replace("Twice", "B0"))
    assert codes == ["E234", "E234"]
    lines = "".join(f'import Q{number} from "q{number}.kmodel"\n' for number in range(importing.MOST_FILES + 20))
    for number in range(importing.MOST_FILES + 20):
        project.write(f"q{number}.kmodel", f"dim Q{number} = 1\n")
    found = project.check(lines + USE.replace("x -> Twice", "x"))
    assert {each.code for each in found} == {"E234"} and "500 files" in found[0].message
    assert time.perf_counter() - start < 20


def test_a_crowd_of_imports_is_refused_at_once(project: Project) -> None:
    project.write("base.kmodel", TWICE)
    items = parse(Source(str(project.folder / "net.kmodel"), 'import Twice from "base.kmodel"\n' + USE)).tree
    many = replace(items, items=(*items.items, *([items.items[0]] * 100_000)))
    start = time.perf_counter()
    found = elaborate(many)
    assert time.perf_counter() - start < 20
    assert {each.code for each in found.diagnostics} <= {"E234", "E205"}


# -- what is said ------------------------------------------------------------------------------------


def test_names_that_are_not_there(project: Project) -> None:
    project.write("base.kmodel", "dim K = 3\n" + TWICE + USE)
    project.write("more.kmodel", 'import Twice from "base.kmodel"\ndim L = 4\n')
    text = 'import Twise, Net, Other from "base.kmodel"\nimport Twice from "more.kmodel"\n' + USE
    found = project.check(text)
    assert [each.code for each in found] == ["E233"] * 4
    assert [each.help for each in found][:3] == [
        "did you mean `Twice`?", "what several models share is a block", "it has `K` and `Twice`"
    ]  # fmt: skip
    assert found[3].help == 'import it from where it is defined, "base.kmodel" beside that file'


def test_a_name_is_imported_once(project: Project) -> None:
    project.write("base.kmodel", TWICE)
    assert project.codes('import Twice, Twice from "base.kmodel"\n' + USE) == ["E205"]
    assert project.codes('import Twice from "base.kmodel"\n' + TWICE + USE) == ["E205"]
    assert project.codes('import Twice as K from "base.kmodel"\ndim K = 3\n' + USE.replace("Twice", "relu")) == ["E205"]


def test_errors_of_an_imported_file_are_reported_at_their_place_and_at_the_import(project: Project) -> None:
    project.write("base.kmodel", "dim K = \n" + TWICE.replace("dense", "Dense"))
    found = project.check('import Twice from "base.kmodel"\n' + USE)
    assert (found[0].code, found[0].span.line) == ("E234", 1)
    assert found[0].message == '"base.kmodel" has 2 errors'
    assert {os.path.basename(each.span.source.name) for each in found[1:]} == {"base.kmodel"}
    assert "E201" in [each.code for each in found]


def test_a_mistake_that_only_a_call_shows_names_the_call(project: Project) -> None:
    project.write("base.kmodel", "block Halve(x: f32[C]) -> _ {\n  return x -> reshape([2, 2])\n}\n")
    found = project.check(
        'import Halve from "base.kmodel"\n' + USE.replace("Twice", "Halve -> flatten -> dense(9) -> Halve")
    )
    assert [each.code for each in found] == ["E234", "E404"]
    assert "net.kmodel:4: C = 9" in found[1].notes[-1] and found[1].notes[-1].startswith("in `Halve`, called at ")
