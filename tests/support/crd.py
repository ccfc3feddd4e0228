"""CustomResourceDefinitions for tests that need one and do not care which."""

from generic.types import JSONObject

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(plural: str, *, group: str = "stable.example.com", version: str = "v1") -> JSONObject:
    """A namespaced kind with a free-form spec and a status subresource."""
    singular = plural.removesuffix("s")
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": singular, "kind": singular.title()},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def instance(plural: str, name: str, *, group: str = "stable.example.com", version: str = "v1") -> JSONObject:
    return {
        "apiVersion": f"{group}/{version}",
        "kind": plural.removesuffix("s").title(),
        "metadata": {"name": name},
        "spec": {"any": "thing"},
    }
