"""DefaultTolerationSeconds: for five minutes a pod puts up with a node that is not ready or not reachable.

One of the admission plugins of `kubeapi/server.py`. Mirrors
`plugin/pkg/admission/defaulttolerationseconds/admission.go`.
"""

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource

SECONDS = 300
_PODS = GroupResource("", "pods")
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds:
    """Says so in every pod that says nothing about them."""

    name = "DefaultTolerationSeconds"

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.resource.group_resource == _PODS
            and not attributes.subresource
            and attributes.operation in ("CREATE", "UPDATE")
        )

    async def admit(self, attributes: Attributes) -> None:
        if attributes.object is None:
            return
        spec = attributes.object["spec"]
        tolerations = list(spec.get("tolerations") or ())
        for taint in _TAINTS:
            if not any(
                toleration.get("key") in (taint, None, "") and toleration.get("effect") in ("NoExecute", None, "")
                for toleration in tolerations
            ):
                added = {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
                tolerations.append(added)
        spec["tolerations"] = tolerations
