"""What is probably not meant: rules over files without errors."""

from kdsl.lint.lint import lint
from kdsl.lint.rules import DEFAULT, RULES, SAFE, chosen, matching

__all__ = ["DEFAULT", "RULES", "SAFE", "chosen", "lint", "matching"]
