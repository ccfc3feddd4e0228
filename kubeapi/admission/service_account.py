"""ServiceAccount: every pod runs as a service account, and finds its token where clients look for it.

One of the admission plugins of `kubeapi/server.py`. Mirrors `plugin/pkg/admission/serviceaccount/admission.go`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

from generic.admission.interface import Attributes
from generic.meta import errors, names
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.serviceaccounts.lookup import Lookup

DEFAULT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
ENFORCE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets"

_PODS = GroupResource("", "pods")
_TOKEN_SECONDS = 3607
_MODE = 0o644
_TRIES = 10
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


class ServiceAccount:
    """`pause` is awaited between two looks for the default account, which a controller makes."""

    name = "ServiceAccount"

    def __init__(self, lookup: Lookup, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._lookup = lookup
        self._pause = pause

    def handles(self, attributes: Attributes) -> bool:
        """New pods, and containers that are put into one later."""
        if attributes.resource.group_resource != _PODS or attributes.object is None:
            return False
        if attributes.operation == "CREATE":
            return not attributes.subresource
        return attributes.operation == "UPDATE" and attributes.subresource == "ephemeralcontainers"

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError 403 for a pod whose account does not exist."""
        pod = attributes.object
        if pod is None or attributes.operation != "CREATE" or _is_mirror(pod):
            return
        spec = pod["spec"]
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = DEFAULT
        account = await self._account(attributes, spec["serviceAccountName"])
        if _mounts_token(spec, account):
            _mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403 for what a mirror pod may not name, and for secrets an account does not list."""
        pod = attributes.object
        if pod is None:
            return
        if attributes.operation == "CREATE" and _is_mirror(pod):
            problem = _problem_of_mirror(pod["spec"])
            if problem:
                raise errors.forbidden(_PODS, attributes.name, problem)
            return
        account = await self._account(attributes, pod["spec"].get("serviceAccountName") or DEFAULT)
        if (account["metadata"].get("annotations") or {}).get(ENFORCE_ANNOTATION) in ("true", "True", "TRUE", "t", "1"):
            problem = _problem_of_secrets(pod["spec"], account)
            if problem:
                raise errors.forbidden(_PODS, attributes.name, problem)

    async def _account(self, attributes: Attributes, name: str) -> JSONObject:
        # Pods are often made right behind their namespace: its default account is on its way then.
        for left in reversed(range(_TRIES if name == DEFAULT else 1)):
            found = await self._lookup.find("ServiceAccount", attributes.namespace, name)
            if found is not None:
                return found
            if left:
                await self._pause(random.uniform(0.1, 0.2))
        why = f'error looking up service account {attributes.namespace}/{name}: serviceaccount "{name}" not found'
        raise errors.forbidden(_PODS, attributes.name, why)


def _is_mirror(pod: JSONObject) -> bool:
    """What a kubelet shows of a pod that it runs on its own account."""
    return MIRROR_ANNOTATION in (pod["metadata"].get("annotations") or {})


def _problem_of_mirror(spec: JSONObject) -> str:
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    for volume in spec.get("volumes") or ():
        sources = (volume.get("projected") or {}).get("sources") or ()
        if any(source.get("serviceAccountToken") for source in sources):
            return "a mirror pod may not use ServiceAccountToken volume projections"
        if volume.get("secret"):
            return "a mirror pod may not reference secrets"
    return ""


def _problem_of_secrets(spec: JSONObject, account: JSONObject) -> str:
    """The first secret that the pod uses and its account does not list."""
    name = account["metadata"]["name"]
    tail = f"is not allowed because service account {name} does not reference that secret"
    listed = {secret.get("name") for secret in account.get("secrets") or ()}
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if secret and secret not in listed:
            return f'volume with secret.secretName="{secret}" {tail}'
    for key in _CONTAINERS:
        for container in spec.get(key) or ():
            for variable in container.get("env") or ():
                secret = ((variable.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
                if secret and secret not in listed:
                    what = f'with envVar {variable["name"]} referencing secret.secretName="{secret}"'
                    kind = {"initContainers": "init container", "containers": "container"}.get(key)
                    return f"{kind or 'ephemeral container'} {container['name']} {what} {tail}"
    pulled = {secret.get("name") for secret in account.get("imagePullSecrets") or ()}
    for at, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if secret.get("name") not in pulled:
            why = f"is not allowed because service account {name} does not reference that imagePullSecret"
            return f'imagePullSecrets[{at}].name="{secret.get("name")}" {why}'
    return ""


def _mounts_token(spec: JSONObject, account: JSONObject) -> bool:
    """The pod decides, else its account, else it does."""
    for decided in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if decided is not None:
            return bool(decided)
    return True


def _mount_token(spec: JSONObject) -> None:
    """Where nothing is mounted yet at the place where clients look."""
    volumes = spec.get("volumes") or []
    held = next((v["name"] for v in volumes if str(v.get("name", "")).startswith(VOLUME_PREFIX)), "")
    name, needed = held or names.generate_name(VOLUME_PREFIX), False
    for key in ("initContainers", "containers"):
        for container in spec.get(key) or ():
            mounts = container.get("volumeMounts") or []
            if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
                container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
                needed = True
    if needed and not held:
        spec["volumes"] = [*volumes, {"name": name, "projected": _token_sources()}]


def _token_sources() -> JSONObject:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": _MODE,
    }
