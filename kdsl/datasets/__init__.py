"""Loaders for standard formats."""
