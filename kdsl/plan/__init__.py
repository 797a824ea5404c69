"""From an optimised graph to kernels and memory."""

OPTIONAL = ("reuse_buffers", "products_ahead")
"""What `--no-pass` may name besides the passes over graphs."""
