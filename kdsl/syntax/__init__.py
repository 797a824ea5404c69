"""From text to a tree: `parse` gives a tree for any text, and several independent problems."""

from kdsl.syntax.parser import Parsed, parse

__all__ = ["Parsed", "parse"]
