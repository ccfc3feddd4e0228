"""Admission policies: rules in CEL that users write, enforced inside the server."""
