"""Distributed tracing: spans of requests by W3C Trace Context, sent to an OpenTelemetry collector."""
