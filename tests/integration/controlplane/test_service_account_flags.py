"""The flags of service accounts, in force: tokens that are issued, shortened, and found out about by others."""

from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from generic.client import kubeconfig
from kubeapi.serviceaccounts import jwt
from kubeapi.serviceaccounts.flags import ServiceAccountFlags
from tests.support import plane
from trikube.controlplane import ControlPlane
from trikube.errors import OptionsError
from trikube.options import ControlPlaneOptions

pytestmark = pytest.mark.anyio

NEW, OLD = "https://new.example.com", "https://old.example.com"
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


def write_key(file: Path) -> jwt.SigningKey:
    key = rsa.generate_private_key(65537, 2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return jwt.SigningKey(key)


async def test_tokens_are_as_the_flags_say(tmp_path: Path) -> None:
    signing, old = write_key(tmp_path / "signing.key"), write_key(tmp_path / "old.key")
    given = ServiceAccountFlags(
        issuers=(NEW, OLD),
        api_audiences=("here",),
        signing_key_file=tmp_path / "signing.key",
        key_files=(tmp_path / "old.key",),
        max_token_expiration=3600,
        jwks_uri="https://keys.example.com",
    )
    async with plane.running(tmp_path / "plane", service_accounts=given) as served:
        await served.until(ACCOUNT)
        answer = await served.http.post(f"{ACCOUNT}/token", json={"spec": {"expirationSeconds": 7200}})
        assert answer.headers["warning"] == '299 - "requested expiration of 7200 seconds shortened to 3600 seconds"'
        made = answer.json()
        assert (made["spec"]["expirationSeconds"], made["spec"]["audiences"]) == (3600, ["here"])
        header, claims = jwt.read(made["status"]["token"]) or ({}, {})
        assert header == {"alg": "RS256", "kid": signing.public.key_id}
        assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == (NEW, ["here"], 3600)

        async def user_of(token: str) -> str:
            ca = kubeconfig.ClientConfig(served.url, kubeconfig.load(served.options.kubeconfig).ca)
            headers = {"authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=served.url, verify=ca.ssl_context(), headers=headers) as client:
                review = await client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})
            if review.status_code != 201:
                return str(review.status_code)
            return str(review.json()["status"]["userInfo"]["username"])

        assert await user_of(made["status"]["token"]) == "system:serviceaccount:default:default"
        # As it was issued before the issuer and the key were changed.
        assert await user_of(old.sign({**claims, "iss": OLD})) == "system:serviceaccount:default:default"
        assert await user_of(write_key(tmp_path / "other.key").sign(claims)) == "401"
        found = (await served.http.get("/.well-known/openid-configuration")).json()
        assert (found["issuer"], found["jwks_uri"]) == (NEW, "https://keys.example.com")
        assert found["id_token_signing_alg_values_supported"] == ["RS256"]
        keys = (await served.http.get("/openid/v1/jwks")).json()["keys"]
        assert [key["kid"] for key in keys] == [signing.public.key_id, old.public.key_id]


async def test_a_key_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    given = ServiceAccountFlags(key_files=(tmp_path / "none.key",))
    options = ControlPlaneOptions(data_dir=tmp_path / "plane", secure_port=0, service_accounts=given)
    with pytest.raises(OptionsError, match=r"^error reading public key file .*none.key: .*No such file or directory"):
        ControlPlane(options)
