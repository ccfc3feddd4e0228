"""The first tier: APIServices, and the proxy to aggregated API servers."""
