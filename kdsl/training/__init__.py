"""Losses, metrics, optimizers and all else that `train` names, imported when a name of theirs is asked for."""

from kdsl.training.registry import (
    AUGMENTATIONS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
)

__all__ = ["AUGMENTATIONS", "INITIALIZERS", "LOSSES", "METRICS", "OPTIMIZERS", "REGULARIZERS", "SCHEDULES"]
