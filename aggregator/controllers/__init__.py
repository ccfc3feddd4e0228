"""What runs beside the requests: registration, automatic APIServices, availability, remote discovery and OpenAPI."""
