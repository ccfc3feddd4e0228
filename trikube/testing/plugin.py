"""The pytest plugin: fixtures `control_plane` and `shared_control_plane`, and their options.

Loaded by pytest through the entry point `trikube` in every run of every project that has trikube installed; so nothing
of ours is imported before a test asks for a control plane.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--trikube-mode` and `--trikube-etcd-servers`."""
    group = parser.getgroup("trikube", "control planes for tests")
    group.addoption(
        "--trikube-mode",
        choices=("process", "thread"),
        default="process",
        help="run control planes in processes of their own (the default), or in threads of the tests' process",
    )
    group.addoption(
        "--trikube-etcd-servers",
        default="",
        metavar="URLS",
        help="keep what the control planes store in this etcd, each under a prefix of its own; default: sqlite",
    )


@pytest.fixture(scope="session")
def control_plane_flags() -> Sequence[str]:
    """Further flags of `trikube up` for every control plane; override it in a conftest.py."""
    return ()


@pytest.fixture
def control_plane(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, control_plane_flags: Sequence[str]
) -> Iterator[Any]:
    """A `trikube.testing.plane.ControlPlane` for this test alone."""
    yield from _running(pytestconfig, tmp_path_factory, control_plane_flags)


@pytest.fixture(scope="session")
def shared_control_plane(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, control_plane_flags: Sequence[str]
) -> Iterator[Any]:
    """One for all tests of the session; of each worker, under pytest-xdist."""
    yield from _running(pytestconfig, tmp_path_factory, control_plane_flags)


def _running(config: pytest.Config, folders: pytest.TempPathFactory, flags: Sequence[str]) -> Iterator[Any]:
    from trikube.testing import plane  # noqa: PLC0415, so that projects that do not test with it pay nothing

    mode: plane.Mode = config.getoption("--trikube-mode")
    etcd_servers: str = config.getoption("--trikube-etcd-servers")
    with plane.ControlPlane(folders.mktemp("trikube"), mode=mode, etcd_servers=etcd_servers, flags=flags) as running:
        yield running
