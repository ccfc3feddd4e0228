"""podlogs: subresources that stream, as `kubectl logs` and `kubectl exec` do. `python -m examples.podlogs`"""
