"""Losses, metrics, optimizers and initializers: declared like layers."""
