"""The first tier: APIServices, and the proxy to aggregated API servers.

`server` puts it together; `apiservices` is the resource, `routes` what the APIServices of the moment say, `groups` the
`/apis` documents made of them, `resolving` where a Service's endpoints are, `proxy` the way there, `controllers` what
registers, checks and discovers, `openapi_v3_conversion` its documents, `upstream` any other server as the
delegate of a tier that runs alone. Mirrors `kube-aggregator`.
"""
