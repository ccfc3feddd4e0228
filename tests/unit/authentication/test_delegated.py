"""Whom an aggregated server believes: what the ConfigMap says, now and after every change."""

import asyncio
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import orjson
import pytest

from generic.authentication import delegated_config
from generic.authentication.delegated import DelegatedAuthentication, DelegationError
from generic.authentication.interface import AuthenticationError
from generic.authentication.request_header import RequestHeaderOptions
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.request.user import ALL_AUTHENTICATED, UserInfo
from generic.types import JSONObject
from tests.support import asgi
from tests.support.certificates import Authority, tls
from tests.unit.client.fake_api import FakeAPI, configmap

pytestmark = pytest.mark.anyio

CLUSTER, FRONT_PROXY, NEW_FRONT_PROXY = Authority("cluster"), Authority("front-proxy"), Authority("new-front-proxy")
NONE: Mapping[str, str] = {}
AS_ALICE = {"X-Remote-User": "alice", "X-Remote-Group": "dev", "X-Remote-Extra-Scopes": "a"}


def trust(*, front_proxy: Authority = FRONT_PROXY, changes: Mapping[str, str] = NONE) -> JSONObject:
    data = {
        "client-ca-file": CLUSTER.pem.decode(),
        "requestheader-client-ca-file": front_proxy.pem.decode(),
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-allowed-names": '["front-proxy-client"]',
        **changes,
    }
    return configmap(delegated_config.NAME, delegated_config.NAMESPACE, **data)


@pytest.fixture
async def api() -> FakeAPI:
    return FakeAPI()


@pytest.fixture
async def delegated(api: FakeAPI, tmp_path: Path) -> AsyncIterator[DelegatedAuthentication]:
    client = Client.loopback(LoopbackTransport(api))
    made = DelegatedAuthentication(client, tmp_path / "cas")
    yield made
    await made.stop()
    await client.aclose()


async def who(delegated: DelegatedAuthentication, *chain: str, **headers: str) -> UserInfo | None:
    """The user of a request with a client certificate and headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await delegated.authenticator().authenticate(asgi.scope(headers=names, tls=tls(*chain)))


# The ConfigMap.


async def test_a_config_map_says_everything() -> None:
    found = delegated_config.parse(trust())
    assert found.client_ca is not None
    assert found.client_ca.split() == CLUSTER.pem.split()
    assert found.request_header == RequestHeaderOptions(allowed_names=("front-proxy-client",))


async def test_what_a_config_map_does_not_say_is_nothing() -> None:
    assert delegated_config.parse({}) == delegated_config.ClientTrust()


async def test_text_around_certificates_is_dropped() -> None:
    found = delegated_config.parse(trust(changes={"client-ca-file": f"# die Löwengrube\n{CLUSTER.pem.decode()}"}))
    assert found.client_ca is not None
    assert found.client_ca.isascii()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("client-ca-file", "nonsense", "client-ca-file holds no readable certificate"),
        (
            "requestheader-allowed-names",
            "front-proxy-client",
            "requestheader-allowed-names is not a JSON list of strings",
        ),
        ("requestheader-group-headers", "[1]", "requestheader-group-headers is not a JSON list of strings"),
    ],
)
async def test_nonsense_is_named(key: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        delegated_config.parse(trust(changes={key: value}))


# Who it makes of a request.


async def test_the_front_proxy_names_its_user(api: FakeAPI, delegated: DelegatedAuthentication) -> None:
    await api.put(trust())
    await delegated.load()
    user = await who(delegated, FRONT_PROXY.client("front-proxy-client"), **AS_ALICE)
    assert user == UserInfo("alice", ("dev", ALL_AUTHENTICATED), "", {"scopes": ["a"]})


@pytest.mark.parametrize(
    "certificate",
    [FRONT_PROXY.client("somebody-else"), NEW_FRONT_PROXY.client("front-proxy-client")],
    ids=["name", "authority"],
)
async def test_headers_of_others_are_not_believed(
    api: FakeAPI, delegated: DelegatedAuthentication, certificate: str
) -> None:
    await api.put(trust())
    await delegated.load()
    with pytest.raises(AuthenticationError):
        await who(delegated, certificate, **AS_ALICE)


async def test_headers_beside_a_users_own_certificate_count_for_nothing(
    api: FakeAPI, delegated: DelegatedAuthentication
) -> None:
    await api.put(trust())
    await delegated.load()
    user = await who(delegated, CLUSTER.client("bob", ["dev"]), **AS_ALICE)
    assert user is not None
    assert user.name == "bob"


async def test_a_bearer_token_is_asked_of_the_main_server(api: FakeAPI, delegated: DelegatedAuthentication) -> None:
    await api.put(trust())
    await delegated.load()
    api.fail_once("create", errors.unauthorized("not you"))
    with pytest.raises(AuthenticationError, match="not you"):
        await who(delegated, authorization="Bearer guess")


async def test_without_credentials_everybody_is_anonymous(api: FakeAPI, delegated: DelegatedAuthentication) -> None:
    await api.put(trust())
    await delegated.load()
    user = await who(delegated)
    assert user is not None
    assert user.name == "system:anonymous"


# How it is read and followed.


async def test_the_listener_gets_both_authorities_as_private_files(
    api: FakeAPI, delegated: DelegatedAuthentication
) -> None:
    await api.put(trust())
    await delegated.load()
    client_ca, request_header_ca = delegated.client_ca_files
    assert client_ca.read_bytes() == CLUSTER.pem
    assert request_header_ca.read_bytes() == FRONT_PROXY.pem
    assert {stat.S_IMODE(path.stat().st_mode) for path in delegated.client_ca_files} == {0o600}
    assert sorted(client_ca.parent.iterdir()) == sorted(delegated.client_ca_files)


async def test_a_new_front_proxy_authority_counts_at_once_and_the_old_one_no_more(
    api: FakeAPI, delegated: DelegatedAuthentication
) -> None:
    await api.put(trust())
    await delegated.load()
    delegated.start()
    await api.put(trust(front_proxy=NEW_FRONT_PROXY, changes={"requestheader-allowed-names": "[]"}))
    await delegated._informer.wait_synced()
    user = await who(delegated, NEW_FRONT_PROXY.client("any"), **AS_ALICE)
    assert user is not None
    assert user.name == "alice"
    assert delegated.client_ca_files[1].read_bytes() == NEW_FRONT_PROXY.pem
    with pytest.raises(AuthenticationError):
        await who(delegated, FRONT_PROXY.client("front-proxy-client"), **AS_ALICE)


async def test_without_a_config_map_nobody_is_believed_until_there_is_one(
    api: FakeAPI, delegated: DelegatedAuthentication
) -> None:
    await delegated.load()
    assert all(b"BEGIN CERTIFICATE" in path.read_bytes() for path in delegated.client_ca_files)
    with pytest.raises(AuthenticationError):
        await who(delegated, CLUSTER.client("bob"))
    await api.put(trust())
    delegated.start()
    await delegated._informer.wait_synced()
    assert await who(delegated, CLUSTER.client("bob"))


@pytest.mark.parametrize("change", ["nonsense", "deletion", "emptiness"])
async def test_what_was_known_stays_when_the_config_map_says_nothing_usable(
    api: FakeAPI, delegated: DelegatedAuthentication, change: str
) -> None:
    await api.put(trust())
    await delegated.load()
    delegated.start()
    await delegated._informer.wait_synced()
    told = asyncio.Event()
    # Told after the one under test; of what is there already at once, hence the condition.
    delegated._informer.add_handler(lambda old, new: told.set() if old is not None else None)
    if change == "deletion":
        await api.remove(delegated_config.NAME, delegated_config.NAMESPACE)
    else:
        values = {"client-ca-file": "x"} if change == "nonsense" else dict.fromkeys(trust()["data"], "")
        await api.put(trust(changes=values))
    await told.wait()
    assert await who(delegated, CLUSTER.client("bob"))
    assert await who(delegated, FRONT_PROXY.client("front-proxy-client"), **AS_ALICE)


async def test_a_refusal_names_the_role_that_is_missing(api: FakeAPI, delegated: DelegatedAuthentication) -> None:
    api.fail_once("get", errors.forbidden(GroupResource("", "configmaps"), delegated_config.NAME, "no"))
    with pytest.raises(DelegationError, match="extension-apiserver-authentication-reader") as raised:
        await delegated.load()
    assert "\n" not in str(raised.value)


async def test_a_main_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    client = Client.loopback(LoopbackTransport())
    with pytest.raises(DelegationError, match=r"^cannot read configmap kube-system/.*not there yet$"):
        await DelegatedAuthentication(client, tmp_path).load()


async def test_a_folder_that_cannot_be_written_is_one_line(api: FakeAPI, tmp_path: Path) -> None:
    (tmp_path / "cas").write_text("a file")
    client = Client.loopback(LoopbackTransport(api))
    await api.put(trust())
    with pytest.raises(DelegationError, match="cannot write"):
        await DelegatedAuthentication(client, tmp_path / "cas").load()


async def test_the_config_map_alone_is_asked_for(api: FakeAPI, delegated: DelegatedAuthentication) -> None:
    delegated.start()
    await delegated._informer.wait_synced()
    assert {orjson.dumps(query.get("fieldSelector")) for _, _, query in api.requests} == {
        b'"metadata.name=extension-apiserver-authentication"'
    }
