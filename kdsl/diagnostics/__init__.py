"""Diagnostics as data, their catalogue, and the ways to show them."""
