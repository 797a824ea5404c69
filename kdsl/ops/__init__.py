"""Ops and layers, one file per family, imported when a name of theirs is asked for."""

from kdsl.ops.registry import LAYERS, OPS

__all__ = ["LAYERS", "OPS"]
