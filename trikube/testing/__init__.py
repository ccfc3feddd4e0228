"""Kubernetes for tests: a control plane that is ready in a second, with fixtures for pytest. envtest, for Python.

`plugin` is what pytest loads (in every run, so it and this file import next to nothing), `plane` what a test holds.
Built on the command line and `trikube.controlplane`; documented in `docs/testing.md`.
"""
