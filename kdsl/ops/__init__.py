"""Ops and layers, one file per family. Importing this package registers all of them."""

from kdsl.ops import (
    arithmetic,
    cast,
    cross_entropy,
    dense,
    dropout,
    log_likelihood,
    losses,
    metrics,
    piecewise_activations,
    preprocessing,
    shape,
    smooth_activations,
    softmax,
)
from kdsl.ops.registry import LAYERS, OPS

__all__ = [
    "LAYERS",
    "OPS",
    "arithmetic",
    "cast",
    "cross_entropy",
    "dense",
    "dropout",
    "log_likelihood",
    "losses",
    "metrics",
    "piecewise_activations",
    "preprocessing",
    "shape",
    "smooth_activations",
    "softmax",
]
