"""What happens on the tour, step by step. Each step says what it shows, does it, and fails if it does not show.

Run in order by `tour.Tour`; the numbers of issue and README are those of `STEPS`.
"""

from collections.abc import Callable

from trikube.demo.guide import Guide

NAMESPACE = "tour"


def meet(guide: Guide) -> None:
    """Three servers answer as one: what is there?"""
    guide.kubectl("api-versions", expect=["apps/v1", "apiregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "v1"])
    guide.kubectl("api-resources", "--sort-by=name", expect=["configmaps", "deployments", "apiservices", "crds"])
    guide.kubectl("get", "apiservices", "v1.", "v1.apps", "v1.apiextensions.k8s.io", expect=["Local", "True"])


def builtin_kinds(guide: Guide) -> None:
    """KubeAPIServer: built-in kinds, from create to delete."""
    guide.kubectl("create", "ns", NAMESPACE, expect=["namespace/tour created"])
    guide.kubectl("apply", "-n", NAMESPACE, "-f", guide.manifest("tour"), expect=["configured", "created"], any_of=True)
    guide.kubectl("get", "-n", NAMESPACE, "deployments,configmaps,secrets", "-o", "wide", expect=["NAME", "READY"])
    watched = guide.watch("get", "-n", NAMESPACE, "configmaps", "-w", "--output-watch-events")
    try:
        watched.until("settings")
        guide.kubectl("label", "-n", NAMESPACE, "configmap", "settings", "seen=yes", expect=["labeled"])
        watched.until("MODIFIED")
        patch = '{"data":{"color":"green"}}'
        guide.kubectl("patch", "-n", NAMESPACE, "configmap", "settings", "-p", patch, expect=["patched"])
        watched.until("MODIFIED", times=2)
    finally:
        watched.stop()
    guide.kubectl("get", "-n", NAMESPACE, "configmap", "settings", "-o", "yaml", expect=["color: green", "seen: "])
    guide.kubectl("get", "-n", NAMESPACE, "configmap", "settings", "-o", "json", expect=['"color": "green"'])
    guide.kubectl("delete", "-n", NAMESPACE, "secret", "credentials", expect=["deleted"])
    guide.kubectl("get", "-n", NAMESPACE, "secret", "credentials", code=1, expect=["NotFound"])


def custom_resources(guide: Guide) -> None:
    """APIExtensionsServer: a CustomResourceDefinition, and what it defines, a moment later."""
    guide.kubectl("apply", "-f", guide.manifest("crd/definition.yaml"), expect=["created"])
    guide.kubectl("wait", "--for=condition=Established", "--timeout=10s", "-f", guide.manifest("crd/definition.yaml"))
    guide.kubectl("apply", "-n", NAMESPACE, "-f", guide.manifest("crd/resource.yaml"), expect=["created"])
    guide.kubectl("get", "-n", NAMESPACE, guide.custom_resource, expect=["NAME"])
    guide.kubectl("explain", f"{guide.custom_resource}.spec", expect=["FIELDS"])


def aggregated_server(guide: Guide) -> None:
    """AggregatorServer: an API server in a process of its own, reached over mutual TLS through its APIService."""
    # Registered first: without its RBAC it may not read whom to trust, and ends.
    guide.kubectl_stdin(guide.registration(), "apply", "-f", "-", expect=["created"])
    guide.start_aggregated_server()
    guide.until_kubectl("True", "get", "apiservice", guide.api_service)
    guide.until_kubectl("True", "get", "apiservice", guide.preferred_api_service)
    guide.kubectl("get", "apiservice", guide.api_service, expect=["True"])
    guide.kubectl("apply", "-n", NAMESPACE, "-f", guide.manifest("wardle/flunder.yaml"), expect=["created"])
    guide.kubectl("get", "-n", NAMESPACE, "flunders", expect=["NAME"])


def dead_aggregated_server(guide: Guide) -> None:
    """The aggregated server dies: its API says so, everybody else's goes on."""
    guide.stop_aggregated_server()
    guide.until_kubectl("False", "get", "apiservice", guide.api_service)
    guide.kubectl("get", "apiservice", guide.api_service, expect=["False"])
    guide.kubectl("get", "-n", NAMESPACE, "flunders", code=1, expect=["ServiceUnavailable", "unavailable"], any_of=True)
    guide.kubectl("get", "-n", NAMESPACE, "configmaps", expect=["settings"])
    guide.kubectl("get", "-n", NAMESPACE, guide.custom_resource, expect=["NAME"])


def recovered_aggregated_server(guide: Guide) -> None:
    """It comes back, and so does what it stored."""
    guide.start_aggregated_server()
    guide.until_kubectl("True", "get", "apiservice", guide.api_service)
    guide.until_kubectl("True", "get", "apiservice", guide.preferred_api_service)
    guide.kubectl("get", "-n", NAMESPACE, "flunders", expect=["NAME"])


def goodbye(guide: Guide) -> None:
    """A definition goes, and with it everything of its kind; a namespace goes, and with it everything in it."""
    guide.kubectl("delete", "-f", guide.manifest("crd/definition.yaml"), expect=["deleted"])
    guide.kubectl("get", "-n", NAMESPACE, guide.custom_resource, code=1, expect=["server"])
    guide.kubectl("delete", "ns", NAMESPACE, "--timeout=60s", expect=["deleted"])
    guide.kubectl("get", "ns", NAMESPACE, code=1, expect=["NotFound"])


STEPS: tuple[Callable[[Guide], None], ...] = (
    meet,
    builtin_kinds,
    custom_resources,
    aggregated_server,
    dead_aggregated_server,
    recovered_aggregated_server,
    goodbye,
)
