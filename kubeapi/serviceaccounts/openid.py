"""OpenID Connect discovery: by which others check the tokens of this cluster's service accounts.

Installed by `kubeapi/server.py` where the issuer is a URL. Mirrors `pkg/routes/openidmetadata.go` and
`pkg/serviceaccount/openidmetadata.go`.
"""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from generic.mux import PathMux
from generic.paths import endpoint
from generic.types import JSONObject
from kubeapi.serviceaccounts import jwt
from kubeapi.serviceaccounts.options import ServiceAccountOptions

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"

_CACHING = {"cache-control": "public, max-age=3600"}


def install(mux: PathMux, options: ServiceAccountOptions, address: Callable[[], str]) -> None:
    """Serve both documents; `address` is `host:port` of this server as clients reach it."""

    async def configuration(_: Request) -> Response:
        return _answer(configuration_of(options, address()), "application/json")

    async def keys(_: Request) -> Response:
        return _answer({"keys": [key.to_jwk() for key in options.keys]}, "application/jwk-set+json")

    mux.handle(CONFIGURATION_PATH, endpoint(configuration))
    mux.handle(KEYS_PATH, endpoint(keys))


def configuration_of(options: ServiceAccountOptions, address: str) -> JSONObject:
    """What the issuer says of itself."""
    return {
        "issuer": options.issuer,
        "jwks_uri": f"https://{address}{KEYS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [jwt.ALGORITHM],
    }


def _answer(document: JSONObject, media_type: str) -> Response:
    return Response(orjson.dumps(document), headers={"content-type": media_type, **_CACHING})
