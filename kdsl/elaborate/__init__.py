"""From tree to graph: names, compile-time values, shapes."""

from kdsl.elaborate.elaborate import elaborate
from kdsl.elaborate.program import Elaborated, ModelProgram

__all__ = ["Elaborated", "ModelProgram", "elaborate"]
