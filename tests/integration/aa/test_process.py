"""The process: it says where it listens, ends in order when told to, and says in one line why it cannot run."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support.etcd import EtcdServer
from trikube import kubeconfig
from trikube.background.kubectl import Kubectl
from trikube.pki import layout

TOM = """
apiVersion: animal.demo.io/v1alpha1
kind: Cat
metadata: {name: tom, namespace: default}
spec: {breed: tabby}
"""
ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def cats(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "examples.cats", *arguments, "--data-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_after_it_has_said_how_to_reach_it(tmp_path: Path, number: int) -> None:
    with cats(tmp_path, "--standalone-debug-mode", "--secure-port", "0") as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert said[0].startswith("cats listens on https://127.0.0.1:")
    assert said[0].endswith(" for animal.demo.io/v1alpha1\n")
    assert said[1] == f"  kubectl --kubeconfig {tmp_path}/certs/kubeconfig api-resources\n"


def test_what_keeps_it_from_running_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        alone = ("--standalone-debug-mode", "--secure-port", port)
        assert refused(tmp_path, *alone) == f"cannot listen on 127.0.0.1:{port}: address already in use"
    nowhere = tmp_path / "kubeconfig"
    assert refused(tmp_path, "--kubeconfig", str(nowhere)).startswith(f"cannot read {nowhere}: ")
    pki = layout.ensure(tmp_path / "pki")
    leaf = pki.cluster.issue_client("cats")
    unreachable = f"https://127.0.0.1:{port}"
    kubeconfig.write(nowhere, server=unreachable, ca=pki.cluster.pem, client_cert=leaf.cert, client_key=leaf.key)
    why = refused(tmp_path, "--kubeconfig", str(nowhere))
    assert why.startswith("cannot read configmap kube-system/extension-apiserver-authentication: ")
    assert str(urlsplit(unreachable).port) in why or "connect" in why.lower()


def refused(folder: Path, *arguments: str) -> str:
    """What it says; it exits with 1 and prints nothing else."""
    with cats(folder, *arguments) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("cats: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("cats: error: ").rstrip("\n")


def test_it_prints_what_registers_it(tmp_path: Path) -> None:
    with cats(tmp_path, "registration", "--address", "192.0.2.1", "--port", "1234") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    found = {obj["kind"]: obj for obj in yaml.safe_load_all(out)}
    assert list(found) == ["Namespace", "Service", "EndpointSlice", "APIService"]
    assert found["EndpointSlice"]["endpoints"][0]["addresses"] == ["192.0.2.1"]
    assert found["APIService"]["metadata"]["name"] == "v1alpha1.animal.demo.io"
    assert found["APIService"]["spec"]["service"] == {"name": "cats", "namespace": "cats", "port": 443}
    assert refused(tmp_path, "registration", "--address", "here") == "--address here is not an IP address"


def test_with_etcd_objects_outlive_the_servers_own_folder(tmp_path: Path) -> None:
    etcd = EtcdServer(tmp_path / "etcd", "--unsafe-no-fsync")
    etcd.start()
    try:
        flags = ["--standalone-debug-mode", "--secure-port", "0"]
        flags += ["--etcd-servers", etcd.endpoint, "--etcd-prefix", "/zoo"]
        for number, command in enumerate((("create", "-f", "-"), ("get", "cat", "tom", "-o", "name"))):
            folder = tmp_path / f"run-{number}"
            with cats(folder, *flags) as process:
                assert process.stdout is not None
                process.stdout.readline()
                done = Kubectl(folder / "certs" / "kubeconfig", tmp_path).run(*command, stdin=TOM)
                process.terminate()
                assert process.wait(20) == 0
            assert (done.code, done.out.split()[0]) == (0, "cat.animal.demo.io/tom"), done.err
            assert not (folder / "store.db").exists()
    finally:
        etcd.kill()
