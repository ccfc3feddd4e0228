"""Defaulting of the built-in kinds, a file per API group. Mirrors `pkg/apis/<group>/<version>/defaults.go`.

Every function fills a decoded object of the right types in place; what is set it leaves alone.
"""
