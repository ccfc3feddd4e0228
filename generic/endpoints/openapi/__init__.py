"""OpenAPI documents of the served resources."""
