"""Text of users in generated modules: it stays text. And should it not, the module is refused."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import keyword
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsl.codegen.allowed import NotAllowed, check_module
from kdsl.codegen.module import module_text
from kdsl.codegen.numpy import numpy_sections
from kdsl.codegen.sections import Options
from kdsl.codegen.text import comment, docstring, pyrepr
from kdsl.compiler import compile_file
from kdsl.elaborate import elaborate
from kdsl.plan.names import Names, identifier, snake_case
from kdsl.source import Source
from kdsl.syntax import parse

MODEL = """
## About.
model Net {
  input  x: f32[2]
  target y: index(3)
  logits = x -> dense(3)
  output logits
}
train Net {
  loss    = cross_entropy(logits, y)
  metrics = [accuracy(logits, y)]
}
"""

EVIL = [
    '"""\nimport os; os.system("x")\n"""',
    "'''\nimport os\n'''",
    "x\rprint(1)",
    "x\n    import os",
    "\\",
    "ends in a backslash \\",
    'ends in a quote "',
    'ends in quotes """',
    '\\"""',
    "{{ 7 * 7 }} {% include 'x' %} {# x #}",
    "${x} %s {x} %(x)s",
    "\x00\x1b[31m\x7f",
    "a\u2028b\u2029c\x85d\x0ce",
    "\u202ereversed\u2066",
    "# a comment",
    "\ud800",
    "ﬁ",
]


def made(text, name="net.kmodel"):
    compiled = compile_file(Source(name, text), target="numpy")
    assert compiled.text is not None, compiled.diagnostics
    return compiled


def imported(text, folder, name):
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"attack_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


NET = made(MODEL)


def with_texts(text):
    """The program with `text` in every place that a user's text can reach."""
    program = NET.programs[0]
    source = Source(text, NET.source.text)
    span = source.span(program.span.start, program.span.stop)
    spanned = tuple(
        replace(layer, text=text, span=source.span(layer.span.start, layer.span.stop)) for layer in program.layers
    )
    return source, replace(
        program,
        name=text,
        doc=text,
        layers=spanned,
        span=span,
        inputs=tuple(replace(port, name=f"{port.name}{text}") for port in program.inputs),
        outputs=tuple((f"{name}{text}", type) for name, type in program.outputs),
        training=replace(program.training, loss=text),
    )


def renamed(graph, text):
    """The graph of a program whose input has `text` in its name."""

    def node_with(node):
        if node.op != "input":
            return node
        return replace(node, attributes=(("name", f"{node.attribute('name')}{text}"),))

    return None if graph is None else replace(graph, nodes=tuple(map(node_with, graph.nodes)))


def module_with(text):
    source, program = with_texts(text)
    old = NET.graphs[0]
    graphs = replace(
        old, train=renamed(old.train, text), evaluate=renamed(old.evaluate, text), predict=renamed(old.predict, text)
    )
    return module_text(source, [(program, graphs)], numpy_sections, Options(engine="make_engine"))


def check_texts(text):
    """The module is allowed, does what it did, and says the text as it was."""
    tree = ast.parse(module_with(text))
    call = next(
        node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "DECLARATION"
    )
    said = {field.arg: field.value for field in call.keywords}
    assert ast.literal_eval(said["name"]) == text
    assert ast.literal_eval(said["inputs"].elts[0].args[0]) == f"x{text}"
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert len(imports) == PLAIN_IMPORTS


PLAIN_IMPORTS = sum(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.parse(NET.text)))


@pytest.mark.parametrize("text", EVIL)
def test_evil_texts_stay_texts(text):
    check_texts(text)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=40))
def test_any_text_stays_text(text):
    check_texts(text)


@pytest.mark.parametrize("text", [t for t in EVIL if not any(c in t for c in "\x00\r\x7f\u202e\ud800\x0c")])
def test_evil_doc_comments_through_the_whole_compiler(tmp_path, text):
    source = MODEL.replace("## About.", "\n".join(f"## {line}" for line in text.split("\n")))
    compiled = compile_file(Source("net.kmodel", source), target="numpy")
    if compiled.text is None:  # the parser may refuse it
        assert compiled.errors
        return
    module = imported(compiled.text, tmp_path, "doc")
    assert text.split("\n")[0].strip() in module.Net.__doc__


@pytest.mark.parametrize(
    "name",
    ['x"""\nimport os\n""".kmodel', "a\rb.kmodel", "../../etc/x.kmodel", "C:\\dir\\x.kmodel", "{{ 7*7 }}.kmodel"],
)
def test_evil_file_names(tmp_path, name):
    module = imported(made(MODEL, name).text, tmp_path, "file")
    assert module.DECLARATION.source == name.replace("\\", "/").split("/")[-1]


WORDS = sorted(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "np", "numba"}
    | {
        "fit",
        "w",
        "seed",
        "step",
        "Model",
        "Array",
        "Declaration",
        "predict",
        "relu",
        "matmul",
        "make_engine",
        "__init__",
    }
    | {
        "__class__",
        "_k_internal",
        "os",
        "sys",
        "NumpyEngine",
        "Functions",
        "run_script",
        "zeros",
        "adam",
        "cls",
        "kdsl",
    }
)


def usable(word, template):
    """Whether the language takes the word at all."""
    parsed = parse(Source("net.kmodel", template.replace("WORD", word)))
    return not parsed.diagnostics and not elaborate(parsed.tree).diagnostics


def test_every_awkward_word_as_a_name_of_a_value(tmp_path):
    """As input and output, all in one model; words that the language reserves are left out."""
    template = "model Net {\n  input WORD: f32[2]\n  output out = WORD -> dense(1)\n}\n"
    words = [word for word in WORDS if usable(word, template)]
    assert len(words) > 150
    lines = [f"  input {word}: f32[2]" for word in words]
    lines += [f"  output o{number} = {word} -> dense(1)" for number, word in enumerate(words)]
    module = imported(made("model Net {\n" + "\n".join(lines) + "\n}\n").text, tmp_path, "words")
    model = module.Net(seed=1)
    x = np.random.default_rng(0).normal(size=(len(words), 3, 2)).astype(np.float32)
    outputs = model.predict(dict(zip(words, x, strict=True)))
    weights = list(model.get_weights().values())
    for number in range(len(words)):
        expected = x[number] @ weights[2 * number] + weights[2 * number + 1]
        assert np.allclose(outputs[f"o{number}"], expected, atol=1e-6), words[number]


def test_every_awkward_word_as_a_binding(tmp_path):
    template = (
        "model Net {\n  input in0: f32[2]\n  WORD = in0 -> dense(2) -> relu\n  output out = WORD -> dense(1)\n}\n"
    )
    words = [word for word in WORDS if usable(word, template)]
    assert len(words) > 150
    lines = [f"  {word} = in0 -> dense(2) -> relu\n  output o{i} = {word} -> dense(1)" for i, word in enumerate(words)]
    module = imported(
        made("model Net {\n  input in0: f32[2]\n" + "\n".join(lines) + "\n}\n").text, tmp_path, "bindings"
    )
    assert len(module.Net(seed=1).predict(np.ones((2, 2)))) == len(words)


def test_every_awkward_word_as_the_name_of_a_model(tmp_path):
    template = "model WORD {\n  input x: f32[2]\n  output out = x -> dense(1)\n}\n"
    words = [word for word in WORDS if usable(word, template)]
    assert len(words) > 100
    module = imported(made("".join(template.replace("WORD", word) for word in words)).text, tmp_path, "models")
    classes = {c.declaration.name: c for c in vars(module).values() if isinstance(c, type) and "declaration" in vars(c)}
    assert sorted(classes) == words
    assert all(c(seed=1).predict([[1, 2]]).shape == (1, 1) for c in classes.values())


# -- the pieces -----------------------------------------------------------------------------------------------------


@given(st.text(max_size=30))
def test_identifiers_are_identifiers(text):
    name = identifier(text)
    assert name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not hasattr(builtins, name)


def test_names_never_meet():
    names = Names({"taken"})
    texts = ["a.b", "a_b", "a-b", "taken", "a.b", "class", "class_"]
    found = [names(text) for text in texts]
    assert found == ["a_b", "a_b_2", "a_b_3", "taken_2", "a_b", "class_", "class__2"]


@pytest.mark.parametrize(
    ("name", "snake"),
    [("FashionMlp", "fashion_mlp"), ("HTTPNet2", "http_net2"), ("a", "a"), ("GPT", "gpt"), ("A_B", "a_b")],
)
def test_snake_case(name, snake):
    assert snake_case(name) == snake


@given(st.text(max_size=60), st.sampled_from([0, 4]))
def test_docstrings_say_their_text(text, indent):
    said = ast.literal_eval(docstring(text, indent))
    stripped = [line.strip(" ") for line in said.strip().split("\n")]
    assert stripped == [line.strip(" ") for line in text.strip().split("\n")]


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.tuples(st.floats(), st.text())))
def test_literals_are_their_values(value):
    text = pyrepr(value)
    assert text.isascii() and "\n" not in text
    again = eval(text, {"np": np})  # a test may
    assert again == value or repr(again) == repr(value)


def test_no_literal_for_other_things():
    with pytest.raises(TypeError):
        pyrepr(object())


@given(st.text())
def test_comments_are_one_printable_line(text):
    assert all(" " <= c <= "~" for c in comment(text))


REFUSED = [
    ("import subprocess", "import of subprocess"),
    ("from socket import socket", "import of socket"),
    ("from . import x", "a relative import"),
    ("from os import *", "a star"),
    ("import numpyevil", "import of numpyevil"),
    ("eval('1')", "the name eval in line 1"),
    ("x = exec", "the name exec"),
    ("__import__('os')", "the name __import__"),
    ("import os\nos.system('x')", "the attribute system"),
    ("().__class__.__base__.__subclasses__()", "the attribute __subclasses__"),
    ("print(undefined_name)", "the name undefined_name, which nothing defines"),
    ("def f():\n    return other", "the name other, which nothing defines"),
    ("def f(): pass\ndef f(): pass", "a second definition of f in line 2"),
    ("x = 1\ny, x = 1, 2", "a second definition of x in line 2"),
    ("x: int = 1\nx: str = 2", "a second definition of x in line 2"),
    ("def f(:", "not Python"),
    ("x = 1\r", "control characters"),
    ("x\x00", "control characters"),
    ("(" * 400 + ")" * 400, "not Python"),
    ("async def f(): pass", "AsyncFunctionDef"),
    ("def f():\n    global x\n    x = 1", "Global in line 2"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_not_allowed(text, reason):
    with pytest.raises(NotAllowed) as caught:
        check_module(text)
    assert reason in str(caught.value)


def test_what_is_allowed():
    check_module("import math\n\nX = 3\n\n\ndef f(a):\n    b = [c * X for c in a]\n    return max(b) + math.pi\n")


def test_the_digest_covers_imported_files(tmp_path):
    net = 'import WIDTH from "part.kmodel"\n' + MODEL.replace("dense(3)", "dense(WIDTH) -> dense(3)")
    digests = []
    for folder, part in (("a", "dim WIDTH = 4\n"), ("b", "dim WIDTH = 4\n"), ("c", "dim WIDTH = 4  # other\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.kmodel").write_text(part)
        module = imported(made(net, str(tmp_path / folder / "net.kmodel")).text, tmp_path / folder, f"digest_{folder}")
        digests.append(module.DECLARATION.digest)
        assert digests[-1] in module.__doc__
    assert digests[0] == digests[1] != digests[2]
