"""Texts and names of users in blocks, formulas, imports, patterns and pictures: they stay texts and names."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree as ElementTree

import pytest

from kdsl.cli import main
from kdsl.compiler import compile_file
from kdsl.diagnostics.diagnostic import Diagnostic, Label
from kdsl.diagnostics.github import render_github
from kdsl.diagnostics.json import render_json
from kdsl.diagnostics.sarif import render_sarif
from kdsl.diagnostics.text import render_text
from kdsl.source import Source

EVIL = [
    '"""', "'''", "\\", '\\"', "{{ 7 * 7 }}", "{% raw %}", "${x}", "</svg><script>alert(1)</script>", "--><!--", "]]>",
    "a\nimport os", "::error::x", "%0A::set-output", "__import__('os').system('x')", "]; click x href", "&lt;&amp;",
]  # fmt: skip
NAMES = ["self", "np", "__class__", "__import__", "DECLARATION"]
TARGETS = ["numpy", "numba"]


def plain(text: str) -> str:
    """What can stand in a comment or a quoted text of the language."""
    return text.replace("\n", " ").replace('"', "'")


def made(text: str, target: str = "numpy", name: str = "net.kmodel") -> str:
    compiled = compile_file(Source(name, text), target=target)
    assert compiled.text is not None, render_text(compiled.diagnostics)
    return compiled.text


def shape_of(text: str) -> list[str]:
    """Everything in a module but its texts, numbers and names."""
    return [type(node).__name__ for node in ast.walk(ast.parse(text)) if not isinstance(node, ast.Constant)]


NET = """
## {doc}
block {block}(x: f32[C], out: int = C) -> f32[out] {{
  h = x -> dense(out) as {step}
  return {formula}(h)
}}

## {doc}
fn {formula}(x) = 0.5 * x * (1 + tanh(x))

## {doc}
model Net({parameter}: int = 4) {{
  input  {input}: f32[6]
  target y: f32[4]
  h = {input} -> {block}({parameter}) as {path}
  pair = einsum("a,a->a", h, h)
  output pair
}}

train Net {{
  loss       = mse(pair, y)
  metrics    = [{metric} = mae(pair, y)]
  optimizer  = sgd(lr = 0.01)
  regularize = l2(1e-4, weights = "{pattern}")
  tune "{pattern}" {{ lr_scale = 0.5 }}
}}
"""
USUAL = {
    "doc": "About.", "block": "Part", "formula": "bend", "step": "first", "parameter": "width", "input": "x0", "path": "stem",
    "metric": "error", "pattern": "stem.*",
}  # fmt: skip
PLAIN = shape_of(made(NET.format(**USUAL)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["block", "formula", "step", "parameter", "input", "path", "metric"])
def test_awkward_names_change_no_code(place: str, name: str) -> None:
    usual = USUAL | {place: name} | ({"pattern": f"{name}.*"} if place == "path" else {})
    compiled = compile_file(Source("net.kmodel", NET.format(**usual)), target="numpy")
    if compiled.text is None:
        assert compiled.errors
        return
    assert shape_of(compiled.text) == PLAIN


@pytest.mark.parametrize("text", EVIL)
def test_evil_docs_change_no_code(text: str) -> None:
    assert shape_of(made(NET.format(**USUAL | {"doc": plain(text)}))) == PLAIN


@pytest.mark.parametrize("target", TARGETS)
def test_all_evil_docs_at_once_on_both_targets(target: str) -> None:
    usual, evil = (made(NET.format(**USUAL | {"doc": doc}), target) for doc in ("x", plain(" ".join(EVIL))))
    assert shape_of(evil) == shape_of(usual)


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize(
    "line",
    [
        '  pair = einsum("{}", h, h)',
        '  pair = h -> dense(4, init = "{}")',
        '  pair = h -> "{}"',
        '  pair = h -> reshape("{}")',
    ],
)
def test_evil_texts_in_arguments_are_refused(line: str, text: str) -> None:
    source = NET.format(**USUAL).replace('  pair = einsum("a,a->a", h, h)', line.format(plain(text)))
    compiled = compile_file(Source("net.kmodel", source), target="numpy")
    assert compiled.text is None and compiled.errors
    for form in (render_text, render_json, render_sarif, render_github):
        assert "\x1b" not in form(compiled.diagnostics)


@pytest.mark.parametrize("text", EVIL)
def test_evil_patterns_of_weights_name_none(text: str) -> None:
    source = NET.format(**USUAL | {"pattern": plain(text)})
    compiled = compile_file(Source("net.kmodel", source), target="numpy")
    assert [found.code for found in compiled.errors] and compiled.text is None


@pytest.mark.parametrize("text", EVIL)
def test_evil_paths_of_imports_are_refused(text: str) -> None:
    source = f'import A from "{plain(text)}"\n' + NET.format(**USUAL)
    compiled = compile_file(Source("net.kmodel", source), target="numpy")
    assert compiled.text is None and {found.code for found in compiled.errors} <= {"E230", "E231", "E234"}


@pytest.mark.parametrize("value", [*EVIL, "9" * 5000, "1e999", "nan", "((((((1))))))", "width", "os.system('x')"])
def test_evil_values_of_set_are_refused(value: str) -> None:
    compiled = compile_file(Source("net.kmodel", NET.format(**USUAL)), target="numpy", settings={"width": value})
    assert (compiled.text is None and compiled.errors) or shape_of(compiled.text or "") == PLAIN


def importing(folder, name: str):
    (folder / f"{name}.kmodel").write_text(
        "block Part(x: f32[C], out: int = C) -> f32[out] {\n  return x -> dense(out)\n}\n"
    )
    body = NET[NET.index("\n## {doc}\nfn") :].format(**USUAL)
    source = Source(str(folder / "net.kmodel"), f'import Part from "{name}.kmodel"\n{body}')
    return compile_file(source, target="numpy")


def test_evil_names_of_imported_files(tmp_path) -> None:
    usual, made = shape_of(importing(tmp_path, "part").text), 0
    for text in EVIL:
        compiled = importing(tmp_path, plain(text).replace("/", "_"))
        if compiled.text is None:
            assert {found.code for found in compiled.errors} <= {"E230", "E231", "E234"}
        else:
            assert shape_of(compiled.text) == usual
            made += 1
    assert made > len(EVIL) // 2


# -- pictures and reports -------------------------------------------------------------------------------------------


def drawn(tmp_path, capsys, text: str, form: str, view: str = "dataflow") -> str:
    path = tmp_path / "net.kmodel"
    path.write_text(NET.format(**USUAL | {"doc": plain(text)}), encoding="utf-8")
    code = main(["draw", str(path), "--format", form, "--view", view, "-o", "-"])
    assert code == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize("view", ["dataflow", "computation", "functions"])
def test_a_picture_is_xml_whatever_the_docs_say(tmp_path, capsys, view: str) -> None:
    text = drawn(tmp_path, capsys, " ".join(EVIL), "svg", view)
    tree = ElementTree.fromstring(text)
    assert not [node for node in tree.iter() if node.tag.split("}")[-1] in ("script", "foreignObject", "a", "image")]
    assert not [key for node in tree.iter() for key in node.attrib if key.startswith("on") or key.endswith("href")]


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_texts_in_graphs_stay_texts(tmp_path, capsys, form: str) -> None:
    usual, evil = (drawn(tmp_path, capsys, doc, form) for doc in ("About.", " ".join(EVIL)))
    assert len(usual.split("\n")) == len(evil.split("\n"))
    assert form == "dot" or "<script" not in evil  # in dot it stands in quotes, and Graphviz escapes it


def finding(text: str) -> Diagnostic:
    source = Source(f"{text}.kmodel", f"dim {text}\n")
    return Diagnostic("E112", text, Label(source.span(0, 3), text), notes=(text,), help=text)


@pytest.mark.parametrize("text", [*EVIL, "\x1b[31m\x07", "a\r\nb", "\u202e"])
def test_reports_keep_their_form(text: str) -> None:
    found = [finding(text)]
    json.loads(render_json(found))
    json.loads(render_sarif(found))
    github = render_github(found)
    assert github.count("\n") == 1 and github.startswith("::error ")
    assert not any(c in render_text(found) for c in "\x1b\x07\r\u202e")


def test_a_rendered_file_says_the_same(tmp_path, capsys) -> None:
    path = tmp_path / "net.kmodel"
    for text in EVIL:
        path.write_text(NET.format(**USUAL | {"doc": plain(text)}), encoding="utf-8")
        assert main(["render", str(path)]) == 0
        again = compile_file(Source("net.kmodel", capsys.readouterr().out), target="numpy")
        assert not again.errors
