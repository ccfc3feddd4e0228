"""Programs a reader can copy. Not installed; run from a checkout: `python -m examples.<name>`."""
