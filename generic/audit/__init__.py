"""Audit: who asked what of the server and how it was answered, written down as policy says."""
