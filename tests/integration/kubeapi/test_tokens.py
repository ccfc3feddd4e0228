"""Service-account tokens through the whole server: asked for, used, reviewed, and published keys."""

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from generic.meta import time as meta_time
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject, Message
from kubeapi.serviceaccounts.jwt import SigningKey
from tests.support import asgi
from tests.support.kubeapi import Plane, service_accounts, until

pytestmark = pytest.mark.anyio

ACCOUNTS = GroupVersionResource("", "v1", "serviceaccounts")
SECRETS = GroupVersionResource("", "v1", "secrets")
REVIEWS = GroupVersionResource("authentication.k8s.io", "v1", "tokenreviews")
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ISSUER = service_accounts().issuer


@pytest.fixture
async def bob(plane: Plane) -> JSONObject:
    return await plane.client.create(ACCOUNTS, {"metadata": {"name": "bob"}}, "default")


async def _ask(plane: Plane, name: str = "bob", **spec: Any) -> JSONObject:
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": spec}
    return await plane.client.create(ACCOUNTS, request, "default", name=name, subresource="token")


async def _refused(plane: Plane, name: str = "bob", **spec: Any) -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _ask(plane, name, **spec)
    return refused.value


async def _who(plane: Plane, token: str) -> asgi.Response:
    """The answer to the question who the bearer of the token is."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = asgi.Response()

    async def receive() -> Message:
        return {"type": "http.request", "body": orjson.dumps(body), "more_body": False}

    await plane.app(asgi.scope(SELF, method="POST", headers=headers), receive, answer.send)
    return answer


def _claims(token: str) -> JSONObject:
    part = token.split(".")[1]
    claims: JSONObject = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


async def test_a_token_says_what_kubernetes_makes_it_say(plane: Plane, bob: JSONObject) -> None:
    made = await _ask(plane, audiences=["vault"], expirationSeconds=900)
    claims = _claims(made["status"]["token"])
    assert claims["exp"] - claims["iat"] == 900
    assert claims["nbf"] == claims["iat"]
    assert meta_time.parse(made["status"]["expirationTimestamp"]).timestamp() == claims["exp"]
    assert {key: claims[key] for key in ("iss", "sub", "aud", "kubernetes.io")} == {
        "iss": ISSUER,
        "sub": "system:serviceaccount:default:bob",
        "aud": ["vault"],
        "kubernetes.io": {
            "namespace": "default",
            "serviceaccount": {"name": "bob", "uid": bob["metadata"]["uid"]},
        },
    }


async def test_a_token_is_for_this_server_and_an_hour_unless_told(plane: Plane, bob: JSONObject) -> None:
    spec = (await _ask(plane))["spec"]
    assert spec == {"audiences": [ISSUER], "expirationSeconds": 3600, "boundObjectRef": None}


async def test_whoever_shows_the_token_is_the_account_until_that_is_deleted(plane: Plane, bob: JSONObject) -> None:
    token = (await _ask(plane))["status"]["token"]
    answer = await _who(plane, token)
    assert answer.status == 201
    user = answer.json()["status"]["userInfo"]
    assert (user["username"], user["uid"]) == ("system:serviceaccount:default:bob", bob["metadata"]["uid"])
    assert user["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    await plane.client.delete(ACCOUNTS, "bob", "default")
    assert (await _who(plane, token)).status == 401


async def test_a_token_for_others_does_not_open_this_server(plane: Plane, bob: JSONObject) -> None:
    token = (await _ask(plane, audiences=["vault"]))["status"]["token"]
    assert (await _who(plane, token)).status == 401


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (599, "may not specify a duration less than 10 minutes"),
        (2**32 + 1, "may not specify a duration larger than 2^32 seconds"),
    ],
)
async def test_how_long_a_token_may_live_has_bounds(plane: Plane, bob: JSONObject, seconds: int, why: str) -> None:
    refused = await _refused(plane, expirationSeconds=seconds)
    assert (refused.code, refused.message) == (
        422,
        f'TokenRequest.authentication.k8s.io "bob" is invalid: spec.expirationSeconds: Invalid value: {seconds}: {why}',
    )


async def test_a_token_can_be_bound_to_an_object_that_is_there(plane: Plane, bob: JSONObject) -> None:
    secret = await plane.client.create(SECRETS, {"metadata": {"name": "key"}}, "default")
    reference = {"kind": "Secret", "apiVersion": "v1", "name": "key", "uid": secret["metadata"]["uid"]}
    token = (await _ask(plane, boundObjectRef=reference))["status"]["token"]
    assert _claims(token)["kubernetes.io"]["secret"] == {"name": "key", "uid": secret["metadata"]["uid"]}
    assert (await _who(plane, token)).status == 201
    await plane.client.delete(SECRETS, "key", "default")
    assert (await _who(plane, token)).status == 401


async def test_what_a_token_cannot_be_bound_to_is_said(plane: Plane, bob: JSONObject) -> None:
    missing = await _refused(plane, boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "key"})
    assert (missing.code, missing.message) == (404, 'secrets "key" not found')
    odd = await _refused(plane, boundObjectRef={"kind": "ConfigMap", "apiVersion": "v1", "name": "key"})
    assert (odd.code, odd.message) == (400, "cannot bind token to object of type /v1, Kind=ConfigMap")
    await plane.client.create(SECRETS, {"metadata": {"name": "key"}}, "default")
    other = {"kind": "Secret", "apiVersion": "v1", "name": "key", "uid": "another"}
    assert (await _refused(plane, boundObjectRef=other)).reason == "Conflict"
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main", "image": "app:1"}]}}
    await plane.client.create(GroupVersionResource("", "v1", "pods"), pod, "default")
    refused = await _refused(plane, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "web"})
    assert refused.message == 'cannot bind token for serviceaccount "bob" to pod running with serviceaccount "default"'


async def test_there_is_no_token_for_an_account_that_is_not_there(plane: Plane) -> None:
    refused = await _refused(plane, "nobody")
    assert (refused.code, refused.message) == (404, 'serviceaccounts "nobody" not found')


async def test_a_review_tells_for_which_audiences_a_token_is_good(plane: Plane, bob: JSONObject) -> None:
    token = (await _ask(plane, audiences=["vault", ISSUER]))["status"]["token"]

    async def review(*audiences: str) -> JSONObject:
        spec = {"token": token, "audiences": list(audiences)}
        status: JSONObject = (await plane.client.create(REVIEWS, {"spec": spec}))["status"]
        return status

    assert (await review("vault", "third"))["audiences"] == ["vault"]
    assert (await review())["audiences"] == [ISSUER]
    refused = await review("third")
    assert "authenticated" not in refused
    assert refused["error"].startswith("token audiences [")


async def test_the_keys_are_published_for_others_to_check_tokens_with(plane: Plane, bob: JSONObject) -> None:
    token = (await _ask(plane))["status"]["token"]
    headers = {"authorization": f"Bearer {token}"}
    found = await asgi.call(plane.app, "/.well-known/openid-configuration", headers=headers)
    assert found.json() == {
        "issuer": ISSUER,
        "jwks_uri": "https://192.0.2.1:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    keys = await asgi.call(plane.app, "/openid/v1/jwks", headers=headers)
    assert keys.header("content-type") == "application/jwk-set+json"
    assert keys.header("cache-control") == "public, max-age=3600"
    header = orjson.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert [key["kid"] for key in keys.json()["keys"]] == [header["kid"]]


# Tokens that lie in Secrets.


async def _token_secret(plane: Plane, account: str, **annotations: str) -> None:
    given = {"kubernetes.io/service-account.name": account, **annotations}
    secret = {"metadata": {"name": "token", "annotations": given}, "type": "kubernetes.io/service-account-token"}
    await plane.client.create(SECRETS, secret, "default")


async def _secret_is_gone(plane: Plane) -> bool:
    return not (await plane.client.list(SECRETS, "default"))["items"]


async def _filled(plane: Plane) -> JSONObject:
    """The data of the Secret, once it has its token."""
    found: JSONObject = {}

    async def has_token() -> bool:
        nonlocal found
        found = await plane.client.get(SECRETS, "token", "default")
        return "token" in (found.get("data") or {})

    await until(has_token)
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


async def test_a_secret_for_an_account_is_given_a_token_that_is_good_while_it_is_there(
    plane: Plane, bob: JSONObject
) -> None:
    await _token_secret(plane, "bob")
    data = await _filled(plane)
    assert data["namespace"] == "default"
    assert data["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    answer = await _who(plane, data["token"])
    assert answer.json()["status"]["userInfo"]["username"] == "system:serviceaccount:default:bob"
    stored = await plane.client.get(SECRETS, "token", "default")
    assert stored["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == bob["metadata"]["uid"]
    await plane.client.patch(SECRETS, "token", {"data": {"token": "b3RoZXI="}}, namespace="default")
    assert (await _who(plane, data["token"])).status == 401
    await plane.client.delete(SECRETS, "token", "default")
    assert (await _who(plane, data["token"])).status == 401


async def test_the_secret_of_an_account_goes_with_it(plane: Plane, bob: JSONObject) -> None:
    await _token_secret(plane, "bob")
    token = (await _filled(plane))["token"]
    await plane.client.delete(ACCOUNTS, "bob", "default")
    await until(lambda: _secret_is_gone(plane))
    assert (await _who(plane, token)).status == 401


async def test_a_secret_for_another_account_of_the_name_is_not_kept(plane: Plane, bob: JSONObject) -> None:
    await _token_secret(plane, "bob", **{"kubernetes.io/service-account.uid": "another"})
    await until(lambda: _secret_is_gone(plane))


async def test_a_token_taken_from_a_secret_and_signed_anew_by_another_is_refused(plane: Plane, bob: JSONObject) -> None:
    await _token_secret(plane, "bob")
    claims = _claims((await _filled(plane))["token"])
    forged = SigningKey(ec.generate_private_key(ec.SECP256R1())).sign(claims)
    assert (await _who(plane, forged)).status == 401
