"""The text of generated modules: deterministic, readable, within its budget, naming nothing of where it was built."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kdsl
from kdsl.compiler import CompileError, compile_file
from kdsl.source import Source

MODELS = Path(__file__).parents[2] / "models"
TEXT = (MODELS / "fashion_mlp.kmodel").read_text(encoding="utf-8")

BUILD = """
import sys
from kdsl.compiler import compile_file
compiled = compile_file(sys.argv[1], target="numpy")
sys.stdout.buffer.write(compiled.text.encode())
"""


def text_of(text=TEXT, name="fashion_mlp.kmodel", **options):
    compiled = compile_file(Source(name, text), target="numpy", **options)
    assert compiled.text is not None, compiled.diagnostics
    return compiled.text


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        {"PYTHONHASHSEED": "0", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"},
    ],
)
def test_same_input_same_bytes(tmp_path, environment):
    """Over hash seeds, locales, time zones, working folders and the folder of the source."""
    folder = tmp_path / "some where" / "élsewhere"
    folder.mkdir(parents=True)
    path = folder / "fashion_mlp.kmodel"
    path.write_text(TEXT, encoding="utf-8")
    given = {**os.environ, **environment, "PYTHONPATH": str(Path(kdsl.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(path)], cwd=folder, env=given, capture_output=True, timeout=60
    )
    assert done.stdout.decode() == text_of(), done.stderr.decode()
    assert str(tmp_path) not in done.stdout.decode()


def test_line_ends_and_byte_order_mark_change_only_the_hash(tmp_path):
    path = tmp_path / "fashion_mlp.kmodel"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    other = compile_file(path, target="numpy").text
    different = [(a, b) for a, b in zip(other.splitlines(), text_of().splitlines(), strict=True) if a != b]
    assert len(different) == 2  # in the docstring and in the declaration


def test_order_of_the_parts():
    names = [getattr(node, "name", None) for node in ast.parse(text_of()).body]
    wanted = ["predict", "evaluate", "gradients", "update", "Model", "FashionMlp", "relu", "NumpyEngine", "run_script"]
    assert [name for name in names if name in wanted] == wanted


def test_a_line_reads_like_the_model():
    text = text_of()
    assert (
        '    logits_dense_2 = add_bias(logits_dense_2_matmul, w["logits.dense_2.bias"])  # fashion_mlp.kmodel:16  -> dense(10)\n'
        in text
    )
    assert (
        "loss = sparse_softmax_cross_entropy(logits_dense_2, label, smoothing=0.0)  # fashion_mlp.kmodel:23  -> cross_entropy(logits, label)\n"
        in text
    )


def test_the_head_says_what_it_is():
    doc = ast.get_docstring(ast.parse(text_of()))
    assert doc.startswith(f"FashionMlp: neural network. Made by kdsl {kdsl.__version__} from fashion_mlp.kmodel.\n")
    assert "The classic first network" in doc and "    model.fit(image, label)\n    model.predict(image)" in doc


def test_budget():
    """The model comes first and is short; what is carried stays within its budget."""
    lines = text_of().splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("# ====") and lines[index - 1] == ""]
    titles = {lines[index + 1][2:].split(":")[0]: index for index in starts}
    model = titles["The class that users meet"] - titles["FashionMlp"]
    assert model < 170
    assert len(lines) - model < 1700


def test_only_numpy_is_imported():
    packages = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text_of()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module])
    }
    assert packages - set(sys.stdlib_module_names) == {"numpy"}


@pytest.mark.parametrize("name", ["fashion_mlp", "digits"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_generated_modules_pass_the_linter(tmp_path, name, dtype):
    ruff = Path(sys.executable).parent / "ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    path = tmp_path / f"{name}.py"
    path.write_text(compile_file(MODELS / f"{name}.kmodel", target="numpy", dtype=dtype).text)
    root = Path(kdsl.__file__).parents[1]
    done = subprocess.run([ruff, "check", "--config", root / "pyproject.toml", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_generated_modules_are_typed(tmp_path):
    mypy = Path(sys.executable).parent / "mypy"
    if not mypy.exists():
        pytest.skip("mypy is not installed")
    (tmp_path / "fashion_mlp.py").write_text(text_of())
    command = [mypy, "--strict", "--config-file", "", "--cache-dir", tmp_path / "cache", "fashion_mlp.py"]
    if tuple(map(int, np.__version__.split(".")[:2])) < (2, 4):  # its stubs lack a few functions and defaults
        command += [f"--disable-error-code={code}" for code in ("type-arg", "no-untyped-call", "call-arg")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_every_optional_pass_may_be_left_out(tmp_path):
    from kdsl.passes.pipeline import OPTIONAL

    text_of(without=frozenset(OPTIONAL))


def test_settings_reach_the_module():
    assert 'Weight("logits.dense.kernel", (784, 7)' in text_of(settings={"hidden": "7"})


def test_errors_give_no_text():
    compiled = compile_file(Source("a.kmodel", TEXT.replace("dense(10)", "dense(12)")), target="numpy")
    assert compiled.text is None and [error.code for error in compiled.errors] == ["E501"]


def test_a_file_that_is_not_there():
    compiled = compile_file("nothing.kmodel", target="numpy")
    assert compiled.text is None and [error.code for error in compiled.errors] == ["E150"]


def test_a_file_without_models_has_no_module():
    assert compile_file(Source("a.kmodel", "dim T = 3\n"), target="numpy").text is None


def test_load_imports_a_real_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KDSL_CACHE_DIR", str(tmp_path))
    module = kdsl.load(MODELS / "fashion_mlp.kmodel", target="numpy", settings={"hidden": "3"})
    assert Path(module.__file__).is_relative_to(tmp_path) and module.FashionMlp().predict([[[0] * 28] * 28]).shape == (
        1,
        10,
    )
    again = kdsl.load(MODELS / "fashion_mlp.kmodel", target="numpy", settings={"hidden": "3"})
    assert again is module
    assert kdsl.load(MODELS / "fashion_mlp.kmodel", target="numpy") is not module
    with pytest.raises(CompileError, match=r"(?s)E501.*10 classes"):
        kdsl.load(Source("a.kmodel", TEXT.replace("dense(10)", "dense(12)")), target="numpy")


def test_templates_refuse_what_is_not_given():
    from jinja2 import UndefinedError

    from kdsl.codegen.templating import environment

    with pytest.raises(UndefinedError):
        environment().get_template("class.py.j2").render(model=replace)
