"""What two servers' parts of the authentication ConfigMap come to together."""

import orjson

from generic.authentication.authority import CertificateAuthority
from generic.authentication.request_header import RequestHeaderOptions
from kubeapi.bootstrap.authentication_info import CLIENT_CA, FRONT_PROXY_CA, AuthenticationInfo, combined
from tests.support.certificates import Authority

OURS, THEIRS, PROXIES = Authority("ours"), Authority("theirs"), Authority("proxies")
INFO = AuthenticationInfo(
    CertificateAuthority(OURS.pem), CertificateAuthority(PROXIES.pem), RequestHeaderOptions(allowed_names=("a",))
)


def test_alone_it_is_what_this_server_believes() -> None:
    data = combined(INFO, {})
    assert (data[CLIENT_CA], data[FRONT_PROXY_CA]) == (OURS.pem.decode(), PROXIES.pem.decode())
    assert data["requestheader-allowed-names"] == '["a"]'
    assert data["requestheader-extra-headers-prefix"] == '["X-Remote-Extra-"]'


def test_what_it_makes_it_leaves_alone() -> None:
    data = combined(INFO, {})
    assert combined(INFO, data) == data


def test_what_another_server_believes_stays_once() -> None:
    found = {CLIENT_CA: (THEIRS.pem + OURS.pem).decode(), "requestheader-allowed-names": '["b", "a"]'}
    data = combined(INFO, found)
    assert data[CLIENT_CA] == (THEIRS.pem + OURS.pem).decode()
    assert orjson.loads(data["requestheader-allowed-names"]) == ["b", "a"]


def test_what_cannot_be_read_and_what_has_no_place_there_goes() -> None:
    broken = {CLIENT_CA: "-----BEGIN", "requestheader-group-headers": '{"a": 1}', "requestheader-uid-headers": "["}
    assert combined(INFO, {**broken, "more": "x"}) == combined(INFO, {})
