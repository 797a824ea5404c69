"""One style for model files: `format_source` lays the tokens of a file out anew and changes nothing else."""

from kdsl.format.formatter import Formatted, FormatterBug, format_source

__all__ = ["Formatted", "FormatterBug", "format_source"]
