"""From an optimised graph to kernels and memory."""
