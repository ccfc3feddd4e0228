"""Measures the running server: `python -m bench`, or `make bench`. Not installed."""
