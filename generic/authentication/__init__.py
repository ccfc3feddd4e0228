"""From a request to the caller's identity."""
