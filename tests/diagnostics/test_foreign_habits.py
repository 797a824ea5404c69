"""What people write who come from Keras, PyTorch, Caffe or Python: each is answered in kind, with what to write here."""

from __future__ import annotations

import pytest

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.diagnostics.edits import apply
from kdsl.elaborate import elaborate
from kdsl.source import Source
from kdsl.syntax import parse

HEAD = "model Net {\n  input image: f32[28, 28, 3]\n  input x: f32[4]\n  input z: f32[4]\n  target label: index(10)\n"


def check(text: str) -> list[Diagnostic]:
    parsed = parse(Source("net.kmodel", text))
    return [*parsed.diagnostics, *elaborate(parsed.tree).diagnostics]


def model(*lines: str) -> str:
    return HEAD + "".join(f"  {text}\n" for text in lines) + "}\n"


def line(text: str) -> str:
    return model(text, "output x2 = x -> relu")


def trained(*settings: str) -> str:
    lines = "".join(f"  {text}\n" for text in settings)
    return model("h = x -> dense(10)", "output h") + "train Net {\n" + lines + "}\n"


def setting(text: str) -> str:
    return trained("loss = cross_entropy(h, label)", text)


def loss(text: str) -> str:
    return trained(f"loss = {text}")


# what it is: (the file, the code, what the message or the help says, whether its edit leaves a file without mistakes)
HABITS: dict[str, tuple[str, str, str, bool]] = {
    # Keras
    "Conv2D": (line("h = image -> Conv2D(32, 3)"), "E201", "Keras's `Conv2D` is `conv` here: `conv(32, kernel = 3)`", True),
    "Dense": (line("h = x -> Dense(8)"), "E201", "lower case: `dense(8)`", True),
    "MaxPooling2D": (line("h = image -> MaxPooling2D(2)"), "E201", "`max_pool(2)`", True),
    "BatchNormalization": (line("h = x -> BatchNormalization"), "E201", "is `batch_norm` here", True),
    "activation": (line('h = x -> dense(8, activation="relu")'), "E302", "a step of its own: `-> dense(8) -> relu`", True),
    "a bare activation": (line("h = x -> dense(8, activation = relu)"), "E302", "`-> dense(8) -> relu`", True),
    "units": (line("h = x -> dense(units = 8)"), "E302", "its size comes first, without a name: `dense(8)`", True),
    "use_bias": (line("h = x -> dense(8, use_bias = false)"), "E302", "Keras's `use_bias` is `bias` here", True),
    "input_shape": (line("h = x -> dense(8, input_shape = [4])"), "E302", "input", False),
    "a tuple of one": (line("h = x -> reshape((4,))"), "E124", "write `[4]`", True),
    "a tuple": (line("h = image -> conv(8, kernel = (3, 3))"), "E124", "write `[3, 3]`", True),
    "a quoted word": (line("h = image -> conv(8, kernel = 3, pad = 'same')"), "E108", "words are bare", True),
    "a called layer": (line("h = Dense(8)(x)"), "E126", "write `x -> dense(8)`", True),
    "a layer of tf.keras": (line("h = x -> tf.keras.layers.Dense(8)"), "E126", "write `-> dense(8)`", True),
    "a layer of keras": (line("h = x -> keras.layers.Dropout(0.5)"), "E126", "write `-> dropout(0.5)`", True),
    "Sequential of Keras": ("model = keras.Sequential([\n  keras.layers.Dense(10),\n])\n", "E112", "no `Sequential`", False),
    "the batch axis": (model("input b: f32[None, 4]", "output x"), "E202", "which is never written", False),
    "Lambda": (line("h = x -> Lambda(lambda t: t * 2)"), "E112", "write `fn f(t) = t * 2` outside of the model", False),
    "a type of TensorFlow": (model("input w: float32[4]", "output x"), "E311", "write `f32`", True),
    "a loss class": (loss("SparseCategoricalCrossentropy(h, label)"), "E208", "it is `cross_entropy` here", True),
    "a loss as text": (loss('"sparse_categorical_crossentropy"'), "E508", "cross_entropy", False),
    "batch_size": (setting("batch_size = 32"), "E503", "Keras's `batch_size` is `batch` here", True),
    "learning_rate": (setting("optimizer = adam(learning_rate = 1e-3)"), "E302", "`lr`", True),
    "Adam": (setting("optimizer = Adam(lr = 1e-3)"), "E208", "lower case: `adam(lr = 1e-3)`", True),
    "metrics as texts": (setting('metrics = ["accuracy"]'), "E508", "say what it compares", False),
    "model.fit": ("model.fit(x, y, epochs=3)\n", "E113", "`model`", False),
    # PyTorch
    "nn.Linear": (line("h = x -> nn.Linear(4, 10)"), "E126", "write `-> dense(10)`", True),
    "nn.ReLU": (line("h = x -> nn.ReLU()"), "E126", "write `-> relu`", True),
    "nn.LeakyReLU": (line("h = x -> nn.LeakyReLU()"), "E126", "write `-> leaky_relu`", True),
    "Linear": (line("h = x -> Linear(4, 10)"), "E201", "PyTorch's `Linear` is `dense` here: `dense(10)`", True),
    "Conv2d": (line("h = image -> Conv2d(3, 8, 5)"), "E201", "is `conv` here", False),
    "BatchNorm1d": (line("h = x -> BatchNorm1d"), "E201", "PyTorch's `BatchNorm1d` is `batch_norm` here", True),
    "F.relu": (line("h = F.relu(x)"), "E126", "write `relu(x)`", True),
    "torch.cat": (line("h = torch.cat([x, z])"), "E126", "no `torch.` before them", False),
    "cat": (line("h = cat([x, z])"), "E208", "concat", True),
    "a method": (line("h = x.relu()"), "E126", "write `x -> relu`", True),
    "methods in a row": (line("h = image.flatten().dense(10)"), "E126", "write `image -> flatten -> dense(10)`", True),
    "self": (line("self.fc = dense(10)"), "E112", "`h = x -> dense(10) as fc`", False),
    "a module": (
        "class Net(nn.Module):\n    def __init__(self):\n        self.fc = nn.Linear(784, 10)\n", "E112", "`model`", False,
    ),
    "Sequential of PyTorch": (line("h = nn.Sequential(nn.Linear(4, 10), nn.ReLU())(x)"), "E112", "no `Sequential`", False),
    # Caffe
    "a layer of Caffe": (
        'layer {\n  name: "c"\n  type: "Convolution"\n  convolution_param {\n    num_output: 20\n  }\n}\n',
        "E112", "`h = x -> conv(20, kernel = 5)`", False,
    ),
    "a layer of Caffe in a model": (line('layer { type: "InnerProduct" num_output: 10 }'), "E112", "`h = x -> dense(10)`", False),
    # Python and other languages
    "def": ("def f(x):\n    return x * 2\n", "E112", "`fn f(x) = ...`", False),
    "lambda": ("fn double = lambda x: x * 2\n", "E112", "write `fn double(x) = x * 2`", False),
    ":=": ("dim T := 3\n", "E108", "write `=` for `:=`", True),
    "//": ("dim T = 8 // 2\n", "E108", "write `/` for `//`", True),
    "a // comment": ("// a note\ndim T = 3\n", "E108", "comments start with `#`", True),
    "^": ("dim T = 2 ^ 3\n", "E108", "powers are written `**`", True),
    "&&": (line("h = where(x > 0 && x < 1, x, 0)"), "E108", "`&&` is written `and`", True),
    "a semicolon": (line("h = x -> relu;"), "E108", "no `;`", True),
    "a tab": (line("h = x\t->\trelu;"), "E108", "no `;`", True),
    "True": (line("h = x -> dense(8, bias = True)"), "E108", "`True` is written `true`", True),
    "an indented body": ("model Net:\n  input x: f32[4]\n  output y = x -> relu\n", "E118", "a body stands in braces", True),
    "a ternary": (line("h = x -> relu if 3 > 2 else x -> tanh"), "E117", "`if 3 > 2 then x -> relu else x -> tanh`", True),
    "a ternary of sizes": ("dim T = 4 if 3 > 2 else 5\n", "E117", "write `if 3 > 2 then 4 else 5`", True),
    "an f-string": ('import A from f"parts/{n}.kmodel"\n', "E108", "no letter before it", False),
    "from import": ("from blocks import A, B\n", "E112", 'write `import A, B from "blocks.kmodel"`', False),
    "import as": ("import numpy as np\n", "E113", "does not say from which file", False),
    "+=": (line("x += 3"), "E112", "bind a new name: `h = x + ...`", True),
    "let": (line("let h = x -> relu"), "E112", "a value is bound without it", True),
    "for in range": (line("for i in range(3): x"), "E112", "`h = x -> repeat 3 { ... }`", False),
    "while": (line("while x > 0"), "E112", "there is no `while`", False),
    "print": (line("print(x)"), "E112", "`kdsl summary` shows layers and shapes", False),
    "=>": (line("h = x => relu"), "E108", "write `->` for `=>`", True),
    "|>": (line("h = x |> relu"), "E108", "write `->` for `|>`", True),
    "a question mark": (line("h = x ? 1 : 2"), "E109", "write `if ... then ... else ...`", False),
    "a percent sign": ("dim T = 7 % 2\n", "E109", "there is no `%`", False),
    "a backslash": ("dim T = 7 \\\n  + 3\n", "E109", "not joined with a backslash", False),
    "return in a model": (line("return x"), "E130", "a model gives its results with `output`", False),
}  # fmt: skip


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_is_answered_in_kind(name: str) -> None:
    text, code, says, mended = HABITS[name]
    found = [each for each in check(text) if each.code == code]
    assert found, [each.code for each in check(text)]
    first = found[0]
    assert says in f"{first.message}\n{first.help}"
    assert len(check(text)) <= 2, [each.message for each in check(text)]
    if mended:
        assert check(apply(text, first.edits)) == [], apply(text, first.edits)


@pytest.mark.parametrize("name", HABITS)
def test_an_edit_for_a_habit_leads_somewhere(name: str) -> None:
    """Edits applied one after the other, as often as there are any, end, and never lead back."""
    text, *_ = HABITS[name]
    seen = {text}
    while edits := next((each.edits for each in check(text) if each.edits), ()):
        text = apply(text, edits)
        assert text not in seen
        seen.add(text)
        assert len(seen) < 12


def test_three_independent_mistakes_are_reported_together() -> None:
    text = "dim T := 3\n" + loss("cross_entropy(h, labl)").replace("dense(10)", "Dense(10) -> wibble")
    text += "block B(y: f32[C]) -> f32[C] {\n  return y -> dense(C, units = 3)\n}\n"
    assert len({(each.code, each.span.line) for each in check(text)}) >= 4
