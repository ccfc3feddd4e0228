"""How service accounts are called as users and groups. Mirrors `apiserver/pkg/authentication/serviceaccount`."""

USER_PREFIX = "system:serviceaccount:"
ALL = "system:serviceaccounts"

POD_NAME = "authentication.kubernetes.io/pod-name"
POD_UID = "authentication.kubernetes.io/pod-uid"
NODE_NAME = "authentication.kubernetes.io/node-name"
NODE_UID = "authentication.kubernetes.io/node-uid"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


def user_name(namespace: str, name: str) -> str:
    return f"{USER_PREFIX}{namespace}:{name}"


def groups(namespace: str) -> tuple[str, str]:
    """The groups every account of a namespace is in."""
    return ALL, f"{ALL}:{namespace}"
