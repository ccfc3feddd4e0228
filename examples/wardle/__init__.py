"""wardle: the counterpart of Kubernetes' sample-apiserver, on `trikube.aa`.

Read it in the order of its files: `types` (what both versions share), `validation`, `v1alpha1` and `v1beta1` (the
kinds), `admission` (the banned names), `__main__` (the server).
"""
