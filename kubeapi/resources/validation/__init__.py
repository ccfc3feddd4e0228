"""Validation beyond the schema, a file per API group. Mirrors `pkg/apis/<group>/validation`.

Every function takes an object of the right types that may lack required fields (the schema reports those), and
returns the field errors it found.
"""
