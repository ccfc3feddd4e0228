"""Kubernetes objects in protobuf: read into what Go would print of them as JSON. Answers are never in protobuf."""
