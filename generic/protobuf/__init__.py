"""Kubernetes objects in protobuf, both ways, by tables of fields; and OpenAPI documents, to be sent."""
