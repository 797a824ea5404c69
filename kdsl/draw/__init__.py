"""Pictures of a model: what is drawn (`dataflow`, `computation`, `functions`), where it lies, and the formats."""

from kdsl.draw.scene import Card, Edge, Frame, Part, Scene

__all__ = ["Card", "Edge", "Frame", "Part", "Scene"]
