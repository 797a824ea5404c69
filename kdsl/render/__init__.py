"""A file as it is understood: every default written out, what was inferred as comments."""

from kdsl.render.render import render

__all__ = ["render"]
