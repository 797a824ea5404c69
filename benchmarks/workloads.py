"""What is trained: networks as data, and the pictures they learn. The workers of every peer read this file."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

CLASSES = 10

# ("dense", units)  ("relu",)  ("dropout", rate)  ("flatten",)
# ("conv", filters, padding)     3x3, stride 1, with a bias
# ("pool",)                      the maximum of 2x2
# ("conv_bn_relu", filters)      3x3, padded, without a bias; batch normalisation; relu
# ("residual", filters, stride)  He et al. 2015: two of them around a shortcut, which takes every `stride`-th place and is
#                                filled up with channels of zeros
# ("mean",)                      over all places
Layer = tuple[Any, ...]


@dataclass(frozen=True)
class Workload:
    """A network over pictures of bytes, divided by 255, and ten classes; trained by Adam.

    scales  parameters of the kdsl model that `--scale` changes -> values
    """

    name: str
    title: str
    shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    batch: int
    steps: int  # in an epoch of the benchmark
    model_class: str  # in the generated module
    scales: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    @property
    def flat(self) -> bool:
        """Whether the pictures are lines of numbers for it."""
        return self.layers[0] == ("flatten",)

    @property
    def hidden(self) -> tuple[int, ...] | None:
        """The hidden layers of a multilayer perceptron; None for other networks."""
        return tuple(layer[1] for layer in self.layers if layer[0] == "dense")[:-1] if self.flat else None

    @property
    def dropout(self) -> bool:
        return any(layer[0] == "dropout" for layer in self.layers)

    @property
    def summary(self) -> str:
        return f"{self.title}, cross-entropy of integer labels, Adam 1e-3, batch {self.batch}, {self.rows:,} rows"

    @property
    def flops(self) -> int:
        """Multiplications and additions of one step: forward, both gradients, but none to the input."""
        products = [product * self.batch for product in products_of(self)]
        return 3 * sum(products) - products[0]


def products_of(workload: Workload) -> list[int]:
    """Multiplications and additions of each product of matrices, for one picture."""
    shape, found = workload.shape, []
    for kind, *rest in workload.layers:
        if kind == "flatten":
            size = 1
            for length in shape:
                size *= length
            shape = (size,)
        elif kind == "dense":
            found.append(2 * shape[0] * rest[0])
            shape = (rest[0],)
        elif kind in ("conv", "conv_bn_relu", "residual"):
            filters = rest[0]
            less = 2 if rest[1:] == ["valid"] else 0
            stride = rest[1] if kind == "residual" else 1
            high, wide = ((length - less - 1) // stride + 1 for length in shape[:2])
            found.append(2 * high * wide * filters * 9 * shape[2])
            found += [2 * high * wide * filters * 9 * filters] if kind == "residual" else []
            shape = (high, wide, filters)
        elif kind == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "mean":
            shape = shape[2:]
    return found


def perceptron(*hidden: int, dropout: float = 0.0) -> tuple[Layer, ...]:
    layers: list[Layer] = [("flatten",)]
    for units in hidden:
        layers += [("dense", units), ("relu",), *([("dropout", dropout)] if dropout else [])]
    return (*layers, ("dense", CLASSES))


def level(filters: int) -> tuple[Layer, ...]:
    convolutions = (("conv", filters, "same"), ("relu",), ("conv", filters, "valid"), ("relu",))
    return (*convolutions, ("pool",), ("dropout", 0.25))


MNIST_CNN: tuple[Layer, ...] = (
    *(("conv", 32, "valid"), ("relu",), ("pool",), ("conv", 64, "valid"), ("relu",), ("pool",)),
    *(("flatten",), ("dense", 128), ("relu",), ("dense", CLASSES)),
)
CIFAR_CNN: tuple[Layer, ...] = (
    *(*level(32), *level(64), ("flatten",), ("dense", 512), ("relu",), ("dropout", 0.5), ("dense", CLASSES)),
)
RESNET20: tuple[Layer, ...] = (
    ("conv_bn_relu", 16),
    *(("residual", filters, 2 if filters > 16 and not n else 1) for filters in (16, 32, 64) for n in range(3)),
    *(("mean",), ("dense", CLASSES)),
)
BATCHES = (8, 16, 32, 64, 128, 256)

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("small_mlp", "784-28-10, relu", (28, 28), perceptron(28), 32, 640, "SmallMlp", {"batch": BATCHES}),
        Workload(
            "mlp512",
            "784-512-512-10, relu, dropout 0.2 after each hidden layer",
            (28, 28),
            perceptron(512, 512, dropout=0.2),
            batch=128,
            steps=60,
            model_class="Mlp512",
            scales={"batch": BATCHES, "width": (128, 256, 512, 1024), "depth": (1, 2, 4, 8)},
        ),
        Workload(
            "mnist_cnn",
            "28x28x1, 3x3 convolutions of 32 and 64 with pools, dense 128",
            (28, 28, 1),
            MNIST_CNN,
            batch=128,
            steps=20,
            model_class="MnistCnn",
            scales={"batch": BATCHES, "width": (8, 16, 32, 64)},
        ),
        Workload(
            "cifar_cnn",
            "32x32x3, 3x3 convolutions 32-32-64-64 with pools and dropout, dense 512",
            (32, 32, 3),
            CIFAR_CNN,
            batch=32,
            steps=20,
            model_class="CifarCnn",
            scales={"batch": BATCHES, "width": (8, 16, 32, 64)},
        ),
        Workload(
            "resnet20",
            "32x32x3, ResNet-20 with batch normalisation",
            (32, 32, 3),
            RESNET20,
            batch=32,
            steps=20,
            model_class="ResNet20",
            scales={"batch": BATCHES, "width": (8, 16, 32), "depth": (1, 3, 5, 9)},
        ),
    )
}


def made_pictures(rows: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and labels: one noisy prototype per class, a tenth of the labels wrong so that none is learnt by heart."""
    import numpy as np

    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 160, (CLASSES, *shape))
    labels = rng.integers(0, CLASSES, rows)
    x = np.clip(prototypes[labels] + rng.integers(-80, 96, (rows, *shape)), 0, 255).astype(np.uint8)
    wrong = rng.random(rows) < 0.1
    return x, np.where(wrong, rng.integers(0, CLASSES, rows), labels).astype(np.int32)


def content_of(path: Path) -> bytes:
    """Of a file, compressed or not."""
    found = path if path.exists() else path.with_name(path.name + ".gz")
    stored = found.read_bytes()
    return gzip.decompress(stored) if found.suffix == ".gz" else stored


def read_idx(path: Path) -> np.ndarray:
    """One idx file of bytes, compressed or not."""
    import numpy as np

    content = content_of(path)
    if content[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{path} is not an idx file of bytes")
    shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def read_cifar(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The first binary file of CIFAR-10: 10,000 pictures, a byte of label before each."""
    import numpy as np

    lines = np.frombuffer(content_of(folder / "data_batch_1.bin"), np.uint8).reshape(-1, 3073)
    return lines[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), lines[:, 0]


def pictures(workload: Workload, rows: int, folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The first `rows` training pictures of a folder of idx files or of CIFAR-10's binary files, or made ones where the folder
    has none of this size."""
    import numpy as np

    if folder is None or (workload.shape == (32, 32, 3)) != any(folder.glob("data_batch_1.bin*")):
        return made_pictures(rows, workload.shape)
    if workload.shape == (32, 32, 3):
        x, y = read_cifar(folder)
    else:
        x, y = read_idx(folder / "train-images-idx3-ubyte"), read_idx(folder / "train-labels-idx1-ubyte")
    if len(x) < rows:
        raise SystemExit(f"{folder} has {len(x)} training pictures; this workload wants {rows}")
    return np.ascontiguousarray(x[:rows]).reshape(rows, *workload.shape), y[:rows].astype(np.int32)
