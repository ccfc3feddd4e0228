"""Admission plugins of the KubeAPIServer, one file each."""
