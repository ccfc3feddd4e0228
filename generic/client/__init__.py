"""The client every controller uses, in process or over TLS."""
