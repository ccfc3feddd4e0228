"""Names, objects and errors of the Kubernetes API, with no I/O: the lowest layer."""
