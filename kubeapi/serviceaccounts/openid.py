"""OpenID Connect discovery: by which others check the tokens of this cluster's service accounts.

Installed by `kubeapi/server.py` where the issuer is a URL. Mirrors `pkg/routes/openidmetadata.go` and
`pkg/serviceaccount/openidmetadata.go`.
"""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from generic.meta import negotiation
from generic.paths import endpoint
from generic.server import GenericServer
from generic.types import JSONObject
from kubeapi.serviceaccounts.options import ServiceAccountOptions

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"
KEYS_TYPE = "application/jwk-set+json"

_CACHING = {"cache-control": "public, max-age=3600"}


def install(server: GenericServer, options: ServiceAccountOptions, address: Callable[[], str]) -> None:
    """Serve both documents; `address` is `host:port` of this server as clients reach it."""

    async def configuration(_: Request) -> Response:
        return _answer(configuration_of(options, address()), negotiation.JSON)

    async def keys(_: Request) -> Response:
        return _answer({"keys": [key.to_jwk() for key in options.keys]}, KEYS_TYPE)

    server.add_route(CONFIGURATION_PATH, endpoint(configuration), (negotiation.JSON,))
    server.add_route(KEYS_PATH, endpoint(keys), (KEYS_TYPE,))


def configuration_of(options: ServiceAccountOptions, address: str) -> JSONObject:
    """What the issuer says of itself."""
    return {
        "issuer": options.issuer,
        "jwks_uri": options.jwks_uri or f"https://{address}{KEYS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted({key.algorithm for key in options.keys}),
    }


def _answer(document: JSONObject, media_type: str) -> Response:
    return Response(orjson.dumps(document), headers={"content-type": media_type, **_CACHING})
