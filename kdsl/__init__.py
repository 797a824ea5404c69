"""kdsl: a small language for neural networks, compiled to one self-contained Python module per file."""

__version__ = "0.1.0"
