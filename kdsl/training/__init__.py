"""Losses, metrics, optimizers and initializers. Importing this package registers all of them."""

from kdsl.training import initializers, losses, metrics, optimizers
from kdsl.training.registry import INITIALIZERS, LOSSES, METRICS, OPTIMIZERS

__all__ = ["INITIALIZERS", "LOSSES", "METRICS", "OPTIMIZERS", "initializers", "losses", "metrics", "optimizers"]
