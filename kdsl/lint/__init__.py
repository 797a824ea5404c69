"""What is probably not meant: one file for each rule, run on a file that has no errors."""

from kdsl.lint.lint import RULES, lint

__all__ = ["RULES", "lint"]
