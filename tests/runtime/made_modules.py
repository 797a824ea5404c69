"""Models that the tests of the runtime use, and how they become modules of the NumPy target."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from kdsl.compiler import compile_file
from kdsl.source import Source

SMALL = """
## Three classes of four numbers.
model Small {
  input  x: f32[4]
  target y: index(3)
  logits = x -> dense(8) -> relu -> dropout(0.25) -> dense(3)
  output p = softmax(logits)
}

train Small {
  loss      = cross_entropy(logits, y)
  metrics   = [accuracy(logits, y)]
  optimizer = adam(lr = 0.01)
  batch     = 8
  epochs    = 3
  seed      = 7
}
"""

PICTURES = """
model Pictures {
  input  image: u8[4, 4]
  target label: index(3)
  logits = image -> rescale(1 / 255) -> flatten -> dense(3)
  output p = softmax(logits)
}

train Pictures {
  loss      = cross_entropy(logits, label)
  optimizer = sgd(lr = 0.1)
  batch     = 16
}
"""

TWO = """
model Two {
  input  a: f32[3]
  input  b: i32[2]
  target yes: bool
  target price: f32
  logit = a -> dense(1)
  cost  = b -> dense(1)
  output logit
  output cost
}

train Two {
  loss    = binary_cross_entropy(logit, yes)
  metrics = [error = mae(cost, price)]
  batch   = 4
}
"""

UNTRAINED = """
model Untrained {
  input x: f32[4]
  output y = x -> dense(2)
}
"""


def build(folder: Path, text: str, name: str, **options):
    """Compiles and imports a model -> the module."""
    compiled = compile_file(Source(f"{name}.kmodel", text), target="numpy", **options)
    assert compiled.text is not None, compiled.diagnostics
    path = folder / f"{name}.py"
    path.write_text(compiled.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"built_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
