"""From an identity and a request to allow, deny or no opinion."""
