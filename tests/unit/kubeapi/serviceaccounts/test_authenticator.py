"""Whose a service-account token is, and when it no longer is anybody's."""

from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from generic.authentication.interface import AuthenticationError
from generic.registry.options import WriteOptions
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.serviceaccounts.authenticator import ServiceAccountAuthenticator
from kubeapi.serviceaccounts.jwt import SigningKey
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions
from kubeapi.serviceaccounts.token_storage import TokenRequests
from tests.support import builtin

pytestmark = pytest.mark.anyio

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
OPTIONS = ServiceAccountOptions(KEY, issuer="https://us.example.com")
NOW = 1_800_000_000.0


class Objects:
    """A Reader of objects that are given."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], JSONObject] = {}

    def put(self, name: str, namespace: str = "default", uid: str = "", **more: Any) -> JSONObject:
        metadata = {"name": name, "namespace": namespace, "uid": uid or f"uid-of-{name}"}
        obj = self.held[namespace, name] = {"metadata": metadata, **more}
        return obj

    def peek(self, namespace: str, name: str) -> StoredObject | None:
        obj = self.held.get((namespace, name))
        if obj is None:
            return None
        return StoredObject(key="", namespace=namespace, name=name, revision=1, raw=orjson.dumps(obj))

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None:
        return self.peek(namespace, name)


class World:
    """Account `bob`, pod `web` of it on node `n1`, and who makes and checks tokens, at a time of our own."""

    def __init__(self) -> None:
        self.accounts, self.pods, self.secrets, self.nodes = Objects(), Objects(), Objects(), Objects()
        self.accounts.put("bob")
        self.pods.put("web", spec={"serviceAccountName": "bob", "nodeName": "n1"})
        self.secrets.put("key")
        self.nodes.put("n1", "")
        self.now = NOW
        lookup = Lookup(accounts=self.accounts, pods=self.pods, secrets=self.secrets, nodes=self.nodes)
        self.authenticator = ServiceAccountAuthenticator(OPTIONS, lookup, clock=self._clock)
        self._requests = TokenRequests(OPTIONS, lookup, clock=self._clock)

    def _clock(self) -> float:
        return self.now

    async def token(self, kind: str = "", **spec: Any) -> str:
        if kind:
            name = {"Pod": "web", "Secret": "key", "Node": "n1"}[kind]
            spec["boundObjectRef"] = {"kind": kind, "apiVersion": "v1", "name": name}
        obj: JSONObject = {"metadata": {}, "spec": spec}
        options = WriteOptions("CreateOptions")
        made = await self._requests.create_named(builtin.request(), "default", "bob", obj, options)
        return str(made.decoded()["status"]["token"])

    async def refusal(self, token: str) -> str:
        with pytest.raises(AuthenticationError) as refused:
            await self.authenticator.authenticate_token(token)
        return str(refused.value)


@pytest.fixture
def world() -> World:
    return World()


async def test_an_account_is_a_user_in_the_groups_of_accounts(world: World) -> None:
    user = await world.authenticator.authenticate_token(await world.token())
    assert user is not None
    assert (user.name, user.uid) == ("system:serviceaccount:default:bob", "uid-of-bob")
    assert tuple(user.groups) == ("system:serviceaccounts", "system:serviceaccounts:default")
    assert list(user.extra) == ["authentication.kubernetes.io/credential-id"]
    assert user.extra["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")


async def test_a_pods_token_tells_its_pod_and_its_node(world: World) -> None:
    user = await world.authenticator.authenticate_token(await world.token("Pod"))
    assert user is not None
    shown = {key.rpartition("/")[2]: list(values) for key, values in user.extra.items()}
    del shown["credential-id"]
    assert shown == {
        "pod-name": ["web"],
        "pod-uid": ["uid-of-web"],
        "node-name": ["n1"],
        "node-uid": ["uid-of-n1"],
    }


async def test_others_tokens_are_left_to_others(world: World) -> None:
    assert await world.authenticator.authenticate_token("opaque") is None
    assert await world.authenticator.authenticate_token(KEY.sign({"iss": "https://other.example.com"})) is None


async def test_a_token_of_our_name_by_another_key_is_refused(world: World) -> None:
    forged = SigningKey(ec.generate_private_key(ec.SECP256R1())).sign({"iss": OPTIONS.issuer})
    assert await world.refusal(forged) == "invalid signature, no keys found"


async def test_a_token_is_good_for_its_audiences_alone(world: World) -> None:
    token = await world.token(audiences=["vault", "other"])
    assert await world.refusal(token) == (
        'token audiences ["vault" "other"] is invalid for the target audiences ["https://us.example.com"]'
    )
    proof = await world.authenticator.prove(token, ["vault", "third"])
    assert proof is not None
    assert list(proof.audiences) == ["vault"]


async def test_a_token_has_its_time(world: World) -> None:
    token = await world.token(expirationSeconds=600)
    world.now = NOW - 120
    assert await world.refusal(token) == "service account token is not valid yet"
    world.now = NOW + 630
    assert await world.authenticator.authenticate_token(token) is not None, "clocks may differ by a minute"
    world.now = NOW + 661
    assert await world.refusal(token) == "service account token has expired"


async def test_a_token_dies_with_its_account(world: World) -> None:
    token = await world.token()
    world.accounts.put("bob", uid="another")
    assert await world.refusal(token) == "service account UID (another) does not match claim (uid-of-bob)"
    world.accounts.held.clear()
    assert await world.refusal(token) == 'serviceaccounts "bob" not found'


@pytest.mark.parametrize("kind", ["Pod", "Secret", "Node"])
async def test_a_token_dies_with_what_it_is_bound_to(world: World, kind: str) -> None:
    token = await world.token(kind)
    objects = {"Pod": world.pods, "Secret": world.secrets, "Node": world.nodes}[kind]
    (key, obj), *_ = objects.held.items()
    objects.held[key] = {**obj, "metadata": {**obj["metadata"], "uid": "another"}}
    assert "UID (another) does not match" in await world.refusal(token)
    deleted = {**obj["metadata"], "deletionTimestamp": "2020-01-01T00:00:00Z"}
    objects.held[key] = {**obj, "metadata": deleted}
    assert await world.refusal(token) == "service account token has been invalidated"
    del objects.held[key]
    assert await world.refusal(token) == "service account token has been invalidated"


async def test_the_token_a_pod_gets_by_default_lives_on(world: World) -> None:
    token = await world.token("Pod", expirationSeconds=3607)
    world.now = NOW + 30 * 24 * 3600
    assert await world.authenticator.authenticate_token(token) is not None
    world.now = NOW
    short = await world.token("Pod", expirationSeconds=3608)
    world.now = NOW + 30 * 24 * 3600
    assert await world.refusal(short) == "service account token has expired"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"kubernetes.io": []},
        {"kubernetes.io": {"namespace": 1}},
        {"exp": "never", "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "bob"}}},
    ],
)
async def test_a_signed_token_of_another_form_is_refused(world: World, claims: JSONObject) -> None:
    signed = KEY.sign({"iss": OPTIONS.issuer, "aud": OPTIONS.issuer, **claims})
    assert await world.refusal(signed)
