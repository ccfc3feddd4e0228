"""Controllers the KubeAPIServer runs itself, one file each."""
