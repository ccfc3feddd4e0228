"""`--emulated-version`: this server as one of an older minor version of Kubernetes would be. KEP-4330."""
