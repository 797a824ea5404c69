"""Losses, metrics, optimizers and all else that `train` names. Importing this package registers all of them."""

from kdsl.training import augmentations, initializers, losses, metrics, optimizers, regularizers, schedules
from kdsl.training.registry import (
    AUGMENTATIONS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
)

__all__ = [
    "AUGMENTATIONS",
    "INITIALIZERS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "REGULARIZERS",
    "SCHEDULES",
    "augmentations",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "schedules",
]
