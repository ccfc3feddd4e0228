"""Structural validation, pruning and defaulting of objects."""
