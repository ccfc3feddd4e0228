"""The ordered list of plugins every write passes."""
