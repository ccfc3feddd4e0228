"""wardle: the smallest complete aggregated API server, the counterpart of Kubernetes' sample-apiserver.

Read it in the order of its files: `types` (what is served), `conversion`, `validation`, `strategy` and `admission`
(the rules), `storage` (from these to resources), `server` (a GenericServer of its own), `access` (who may come in),
`options` and `__main__` (the process). `registration` prints what makes the aggregator find it.
"""
