"""What is trained: networks as data, and the pictures they learn. The workers of every peer read this file."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FEATURES, CLASSES = 784, 10


@dataclass(frozen=True)
class Workload:
    """A multilayer perceptron: 784 inputs, relu layers (each followed by dropout, if any), 10 logits; trained by Adam."""

    name: str
    hidden: tuple[int, ...]
    dropout: float
    batch: int
    steps: int  # in an epoch of the benchmark
    model_class: str  # in the generated module

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    @property
    def summary(self) -> str:
        widths = "-".join(map(str, (FEATURES, *self.hidden, CLASSES)))
        dropout = f", dropout {self.dropout} after each hidden layer" if self.dropout else ""
        return (
            f"{widths} relu{dropout}, cross-entropy of integer labels, Adam 1e-3, batch {self.batch}, {self.rows} rows"
        )

    @property
    def flops(self) -> int:
        """Multiplications and additions of one step: forward, both gradients, but none to the input."""
        widths = (FEATURES, *self.hidden, CLASSES)
        products = [2 * a * b * self.batch for a, b in pairwise(widths)]
        return 3 * sum(products) - products[0]


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("small_mlp", (28,), 0.0, batch=32, steps=640, model_class="SmallMlp"),
        Workload("mlp512", (512, 512), 0.2, batch=128, steps=60, model_class="Mlp512"),
    )
}


def made_pictures(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (rows, 28, 28) and labels: one noisy prototype per class, a tenth of the labels wrong so that none is learnt by heart."""
    import numpy as np

    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 160, (CLASSES, 28, 28))
    labels = rng.integers(0, CLASSES, rows)
    x = np.clip(prototypes[labels] + rng.integers(-80, 96, (rows, 28, 28)), 0, 255).astype(np.uint8)
    wrong = rng.random(rows) < 0.1
    return x, np.where(wrong, rng.integers(0, CLASSES, rows), labels).astype(np.int32)


def read_idx(path: Path) -> np.ndarray:
    """One idx file of bytes, compressed or not."""
    import numpy as np

    found = path if path.exists() else path.with_name(path.name + ".gz")
    stored = found.read_bytes()
    content = gzip.decompress(stored) if found.suffix == ".gz" else stored
    if content[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{found} is not an idx file of bytes")
    shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def pictures(rows: int, folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The first `rows` training pictures of a folder of idx files, or made ones."""
    import numpy as np

    if folder is None:
        return made_pictures(rows)
    x = read_idx(folder / "train-images-idx3-ubyte")[:rows]
    y = read_idx(folder / "train-labels-idx1-ubyte")[:rows]
    if len(x) < rows:
        raise SystemExit(f"{folder} has {len(x)} training pictures; this workload wants {rows}")
    return np.ascontiguousarray(x), y.astype(np.int32)
