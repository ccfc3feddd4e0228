"""What every trikube server is made of: the counterpart of Kubernetes' `apiserver` library.

Imported by the three tiers (`aggregator`, `kubeapi`, `extensions`) and by aggregated API servers;
imports none of them.
"""
