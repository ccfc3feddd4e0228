"""Manifests and certificates of a deployment."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from trikube.boot import changes, command, creating, deploying, project
from trikube.boot.deploying import Deployment
from trikube.boot.errors import BootError
from trikube.boot.project import Kind, Project


def no(question: str) -> bool:
    return False


def yes(question: str) -> bool:
    return True


def ignore(line: str) -> None:
    pass


@pytest.fixture
def zoo(tmp_path: Path) -> Project:
    creating.init_repository(tmp_path / "zoo", "zoo", "demo.io", ignore)
    for kind in (Kind("animal", "v1", "Cat"), Kind("animal", "v2", "Cat")):
        creating.create_kind(project.load(tmp_path / "zoo"), kind, no, ignore)
    return project.load(tmp_path / "zoo")


def build(at: Project, **more: Any) -> dict[str, dict[str, Any]]:
    """The objects of config by kind and name."""
    deployment = Deployment(service="api", namespace="pets", image="zoo:1", **more)
    deploying.build_config(at, deployment, yes, ignore)
    found = [
        obj for path in sorted((at.root / "config").glob("*.yaml")) for obj in yaml.safe_load_all(path.read_text())
    ]
    return {f"{obj['kind']}/{obj['metadata']['name']}": obj for obj in found}


def certificate(at: Project) -> x509.Certificate:
    return x509.load_pem_x509_certificate((at.root / "config" / "certificates" / "tls.crt").read_bytes())


def test_the_aggregator_trusts_the_authority_of_the_service_it_calls(zoo: Project) -> None:
    objects = build(zoo)
    ca = (zoo.root / "config" / "certificates" / "ca.crt").read_bytes()
    newer, older = objects["APIService/v2.animal.demo.io"]["spec"], objects["APIService/v1.animal.demo.io"]["spec"]
    assert base64.b64decode(newer["caBundle"]) == ca
    assert newer["service"] == {"name": "api", "namespace": "pets", "port": 443}
    assert newer["versionPriority"] > older["versionPriority"]
    certificate(zoo).verify_directly_issued_by(x509.load_pem_x509_certificate(ca))
    names = certificate(zoo).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["api.pets.svc", "api.pets.svc.cluster.local"]
    assert base64.b64decode(objects["Secret/api-certificate"]["data"]["tls.crt"]).startswith(b"-----BEGIN CERT")


def test_rights_go_to_the_account_the_pods_have(zoo: Project) -> None:
    objects = build(zoo)
    pod = objects["Deployment/api"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "api"
    bindings = [obj for name, obj in objects.items() if "Binding/" in name]
    assert {(obj["roleRef"]["name"], *obj["subjects"][0].values()) for obj in bindings} == {
        ("system:auth-delegator", "ServiceAccount", "api", "pets"),
        ("extension-apiserver-authentication-reader", "ServiceAccount", "api", "pets"),
        ("pets:api", "ServiceAccount", "api", "pets"),
    }


def test_sqlite_has_one_writer_and_etcd_any_number(zoo: Project) -> None:
    objects = build(zoo)
    assert objects["Deployment/api"]["spec"]["strategy"] == {"type": "Recreate"}
    assert "PersistentVolumeClaim/api-data" in objects
    objects = build(zoo, etcd="etcd:3")
    server = objects["Deployment/api"]["spec"]
    assert server["strategy"] == {"type": "RollingUpdate"}
    arguments = server["template"]["spec"]["containers"][0]["args"]
    assert "--etcd-servers=http://api-etcd.pets.svc:2379" in arguments
    # Not the default, which every server would share.
    assert "--etcd-prefix=/zoo" in arguments
    assert "PersistentVolumeClaim/api-data" not in objects
    assert objects["StatefulSet/api-etcd"]["spec"]["template"]["spec"]["containers"][0]["image"] == "etcd:3"


def test_a_certificate_is_kept_until_it_is_rotated_and_its_authority_longer(zoo: Project) -> None:
    first = build(zoo)
    before = certificate(zoo).serial_number
    again = build(zoo)
    assert (certificate(zoo).serial_number, again) == (before, first)
    rotated = build(zoo, rotate=True)
    assert certificate(zoo).serial_number != before
    name = "APIService/v1.animal.demo.io"
    assert rotated[name] == first[name]
    # New pods, since they read the certificate when they start.
    template = rotated["Deployment/api"]["spec"]["template"]["metadata"]
    assert template != first["Deployment/api"]["spec"]["template"]["metadata"]


def test_private_keys_are_private_and_in_no_commit(zoo: Project) -> None:
    build(zoo)
    config = zoo.root / "config"
    secret = [config / "20-secret.yaml", config / "certificates" / "ca.key", config / "certificates" / "tls.key"]
    assert [path.stat().st_mode & 0o777 for path in secret] == [0o600] * 3
    subprocess.run(["git", "init", "-q", str(zoo.root)], check=True)
    ignored = ["git", "-C", str(zoo.root), "check-ignore", *map(str, secret)]
    assert subprocess.run(ignored, capture_output=True, text=True, check=True).stdout.split() == [*map(str, secret)]
    deploying.build_image(zoo, "", no, ignore)
    assert (zoo.root / ".dockerignore").read_text().splitlines()[1] == "*"


def test_an_edited_manifest_is_not_overwritten_unasked(zoo: Project) -> None:
    build(zoo)
    edited = zoo.root / "config" / "40-server.yaml"
    edited.write_text(edited.read_text() + "# mine\n")
    with pytest.raises(BootError, match=r"config/40-server\.yaml is there already and stays"):
        deploying.build_config(zoo, Deployment(service="api", namespace="pets", image="zoo:1"), no, ignore)
    assert edited.read_text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"service": "A"}, "--name 'A' is not valid"),
        ({"namespace": "a.b"}, "--namespace 'a.b' is not valid"),
        ({"image": ""}, "--image '' is no name of an image"),
        ({"image": "a b"}, "--image 'a b' is no name of an image"),
        ({"etcd": "a\nb"}, "--etcd 'a"),
    ],
)
def test_names_that_cannot_be_are_refused_before_anything_is_written(
    zoo: Project, given: dict[str, Any], why: str
) -> None:
    deployment = Deployment(**{"service": "api", "namespace": "pets", "image": "zoo:1", **given})
    with pytest.raises(BootError) as raised:
        deploying.build_config(zoo, deployment, no, ignore)
    assert str(raised.value).startswith(why)
    assert not (zoo.root / "config").exists()


def test_an_unreachable_cluster_is_one_line_and_nothing_is_written(
    zoo: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(zoo.root)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert command.main(["run", "in-cluster", "--image", "zoo:1"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("trikube boot: the cluster is not reached: ")
    assert not (zoo.root / "config").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["create", "thing", "--kind", "X"], "create thing: it is `group version resource` or `subresource`"),
        (["create", "group", "version", "resource", "--kind", "X"], "create group version resource needs --group"),
        (["create", "subresource", "--kind", "Cat"], "create subresource needs --subresource NAME"),
    ],
)
def test_a_command_that_is_not_whole_is_one_line(
    zoo: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(zoo.root)
    assert command.main(arguments) == 1
    assert capsys.readouterr().err == f"trikube boot: {why}\n"


def test_an_image_is_built_with_the_tool_there_is(
    zoo: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(BootError, match="none of docker, podman, buildah is here: docker build -t zoo:1"):
        deploying.build_image(zoo, "zoo:1", no, ignore, build=True)
    podman = tmp_path / "bin" / "podman"
    podman.parent.mkdir()
    podman.write_text(f'#!/bin/sh\necho "$@" > {tmp_path / "called"}\ntest "$3" = zoo:1\n')
    podman.chmod(0o755)
    deploying.build_image(zoo, "zoo:1", no, said.append, build=True)
    assert (tmp_path / "called").read_text() == f"build -t zoo:1 {zoo.root}\n"
    assert said[-1] == "built zoo:1"
    with pytest.raises(BootError, match="the image is not built: podman ended with exit code 1"):
        deploying.build_image(zoo, "zoo:2", no, ignore, build=True)
    with pytest.raises(BootError, match="--image 'zoo 1' is no name of an image"):
        deploying.build_image(zoo, "zoo 1", no, ignore)


def test_undo_takes_all_of_config_back_though_it_was_built_twice(zoo: Project) -> None:
    before = {path for path in zoo.root.rglob("*") if path.is_file()}
    build(zoo)
    build(zoo, rotate=True)
    key = (zoo.root / "config" / "certificates" / "tls.key").read_text()
    assert key.splitlines()[1] not in (zoo.root / changes.UNDO).read_text()
    changes.undo(zoo.root, no, ignore)
    assert {path for path in zoo.root.rglob("*") if path.is_file()} == before
