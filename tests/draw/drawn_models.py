"""Models that the tests draw, one of each shape."""

from __future__ import annotations

from pathlib import Path

from kdsl.draw.dataflow import dataflow
from kdsl.draw.fold import folded
from kdsl.draw.scene import Scene
from kdsl.elaborate import elaborate
from kdsl.elaborate.program import ModelProgram
from kdsl.source import Source, read
from kdsl.syntax import parse

TESTS = Path(__file__).resolve().parents[1]

PERCEPTRON = """
## Two layers.
model Perceptron {
  input  x: f32[4]
  target y: index(3)
  logits = x -> dense(8) as hidden -> relu -> dropout(0.1) -> dense(3)
  output p = softmax(logits)
}
train Perceptron { loss = cross_entropy(logits, y) }
"""

RESIDUAL = """
## Two layers around a shortcut.
block Residual(x: f32[D], width: int = D) -> f32[width] {
  main = x -> dense(width) -> relu -> dense(width)
  skip = if width == D then x else x -> dense(width, bias = false)
  return (main + skip) -> relu
}
model Net {
  input  x: f32[16]
  target y: index(10)
  logits = x -> repeat 3 Residual -> Residual(32) -> repeat 2 Residual -> dense(10)
  output p = softmax(logits)
}
train Net { loss = cross_entropy(logits, y) }
"""

U_SHAPE = """
model Denoiser {
  input  noisy: f32[64]
  target clean: f32[64]
  a0 = noisy -> dense(32) -> relu
  a1 = a0 -> dense(16) -> relu
  code = a1 -> dense(8) -> gelu
  b1 = (code, a1) -> concat -> dense(16) -> relu
  b0 = (b1, a0) -> concat -> dense(32) -> relu
  output restored = b0 -> dense(64)
}
train Denoiser { loss = mse(restored, clean) + 0.1 * mean(code ** 2) }
"""

TWINS = """
block Trunk(x: f32[D], width: int = 8) -> f32[width] {
  h = x -> repeat 3 { dense(16) -> relu } -> dense(width)
  return h / sqrt(sum(h ** 2, keep = true) + 1e-6)
}
model Twins {
  input  left: f32[32]
  input  right: f32[32]
  target far: f32
  a = left -> Trunk(8) as trunk
  b = right -> trunk
  output distance = sum((a - b) ** 2)
}
train Twins { loss = mse(distance, far) }
"""

OWN_WEIGHTS = """
block RmsNorm(x: f32[T, D]) -> f32[T, D] {
  weight gain: f32[D] = ones
  return x / sqrt(mean(x ** 2, axis = -1, keep = true) + 1e-6) * gain
}
model Tied {
  input  text: index(65)[16]
  target next: index(65)[16]
  h = text -> embed(8) as tokens -> repeat 4 RmsNorm
  output logits = h @ transpose(tokens.embeddings)
}
train Tied { loss = cross_entropy(logits, next) }
"""

DEEP = """
model Deep {
  input x: f32[8]
  target y: f32[8]
  h = x -> dense(8) -> repeat 60 { dense(8) -> layer_norm -> relu } -> repeat 20 shared { dense(8) -> tanh }
  output z = h -> dense(8)
}
train Deep { loss = mse(z, y) }
"""

MODELS = {
    "perceptron": PERCEPTRON,
    "residual": RESIDUAL,
    "u_shape": U_SHAPE,
    "twins": TWINS,
    "own_weights": OWN_WEIGHTS,
    "deep": DEEP,
}


def program(text: str) -> ModelProgram:
    parsed = parse(Source("a.kmodel", text))
    elaborated = elaborate(parsed.tree)
    assert not parsed.diagnostics and not elaborated.diagnostics
    return elaborated.models[0]


def corpus() -> dict[str, ModelProgram]:
    """Every model of the corpora that can be elaborated."""
    found = {}
    for path in sorted([*TESTS.glob("good/*.kmodel"), *TESTS.glob("elaborate/good/*.kmodel")]):
        source = read(path)
        assert isinstance(source, Source)
        for model in elaborate(parse(source).tree).models:
            found[f"{path.stem}.{model.name}"] = model
    return found


def scene(text: str, depth: int | None = None, expand: bool = False) -> Scene:
    return folded(dataflow(program(text)), depth, expand)
