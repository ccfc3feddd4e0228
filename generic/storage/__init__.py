"""Versioned key-value storage with etcd's model, its engines, and the watch cache above it."""
