"""What the servers say of themselves."""

from tools.real.differ.asking import Pair

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def discovery(pair: Pair, only: str) -> None:
    """Every discovery document."""
    for path in ("/", "/api", "/apis", "/version", "/api/", "/apis/", "/version/"):
        pair.ask("GET", path)
    pair.ask("GET", "/api", headers={"Accept": _AGGREGATED}, what="aggregated /api")
    pair.ask("GET", "/apis", headers={"Accept": _AGGREGATED}, what="aggregated /apis")
    for accept in ("text/html", "application/yaml", "application/vnd.kubernetes.protobuf", "*/*", "application/*", ""):
        pair.ask("GET", "/api", headers={"Accept": accept}, what=f"Accept {accept!r}")
        pair.ask("GET", "/apis/apps/v1", headers={"Accept": accept}, what=f"Accept {accept!r}")
    groups = pair.both("GET", "/apis")[0].body["groups"]
    for group in groups:
        pair.ask("GET", f"/apis/{group['name']}")
        for version in group["versions"]:
            pair.ask("GET", f"/apis/{version['groupVersion']}")
    pair.ask("GET", "/api/v1")
    pair.ask("GET", "/openapi/v3", ignore="serverRelativeURL")
    for path in (
        "/api/v2",
        "/apis/nope",
        "/apis/nope/v1",
        "/apis/apps/v9",
        "/nope",
        "/api/v1/nope",
        "/openapi/v3/nope",
        "/openid/v1/jwks",
        "/.well-known/openid-configuration",
        "/healthz",
        "/livez",
        "/readyz",
        "/healthz/ping",
        "/livez/ping",
        "/readyz/nope",
        "/healthz?exclude=ping",
        "/readyz?verbose&exclude=nope",
        "/logs",
        "/debug/pprof",
        "/flagz",
        "/statusz",
        "/metrics/slis",
        "/swagger.json",
        "/favicon.ico",
        "/index.html",
    ):
        pair.ask("GET", path)
        pair.ask("GET", path, anonymous=True, what="anonymous")
    for path in ("/api", "/version", "/healthz", "/openapi/v2", "/apis/apps/v1", "/"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "NOPE"):
            pair.ask(method, path)
