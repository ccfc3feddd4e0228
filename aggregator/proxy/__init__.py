"""The way to aggregated API servers: connections with our certificate, one request through them, the proxy handler.

The only place of the tier that knows h11 and h2.
"""
