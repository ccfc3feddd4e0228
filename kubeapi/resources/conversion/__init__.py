"""Conversion between the versions of a built-in kind that are stored alike."""
