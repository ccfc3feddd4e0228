"""An operator in the steps of kopf's own tutorial: a claim of ours owns a PersistentVolumeClaim of the same size.

Written as its author would write it for any cluster; `test_kopf_tutorial.py` hands it to `kopf run`.
"""

from typing import Any

import kopf
from kubernetes import client

GROUP = "storage.example.com"
# Not typed.
kubernetes: Any = client


@kopf.on.create(GROUP, "v1", "shortlivedclaims")
def create(spec: kopf.Spec, body: kopf.Body, name: str, namespace: str | None, **_: Any) -> dict[str, str]:
    """Make the child. What this returns is kept under `status.create`."""
    size = spec.get("size")
    if not size:
        kopf.warn(body, reason="Shapeless", message="a claim needs a size")
        raise kopf.PermanentError(f"size must be set, not {size!r}")
    child: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }
    kopf.adopt(child)
    made = kubernetes.CoreV1Api().create_namespaced_persistent_volume_claim(namespace, child)
    return {"claim": made.metadata.name}


@kopf.on.update(GROUP, "v1", "shortlivedclaims", field="spec.size")
def resize(new: Any, status: kopf.Status, namespace: str | None, **_: Any) -> None:
    """Let the child grow with the parent."""
    patch = {"spec": {"resources": {"requests": {"storage": new}}}}
    kubernetes.CoreV1Api().patch_namespaced_persistent_volume_claim(status["create"]["claim"], namespace, patch)


@kopf.on.field(GROUP, "v1", "shortlivedclaims", field="metadata.labels")
def relabel(old: Any, new: Any, status: kopf.Status, namespace: str | None, **_: Any) -> None:
    """Hand labels on; one that was taken away goes there, too."""
    if "create" not in status:
        return
    patch = {"metadata": {"labels": {**dict.fromkeys(old or {}), **(new or {})}}}
    kubernetes.CoreV1Api().patch_namespaced_persistent_volume_claim(status["create"]["claim"], namespace, patch)
