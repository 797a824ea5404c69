"""Ops and layers, one file per family. Importing this package registers all of them."""

from kdsl.ops import activations, arithmetic, cast, dense, dropout, losses, metrics, preprocessing, shape, softmax
from kdsl.ops.registry import LAYERS, OPS

__all__ = [
    "LAYERS",
    "OPS",
    "activations",
    "arithmetic",
    "cast",
    "dense",
    "dropout",
    "losses",
    "metrics",
    "preprocessing",
    "shape",
    "softmax",
]
