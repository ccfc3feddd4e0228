"""The TLS listener, on hypercorn."""
