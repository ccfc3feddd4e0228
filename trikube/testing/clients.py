"""Clients of a control plane: httpx, and the two client libraries of Kubernetes a project may have installed.

Called by `plane.ControlPlane`. The libraries are imported when asked for: trikube needs neither, and `kubernetes` alone
takes a third of a second.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from generic.client import kubeconfig
from trikube.testing.errors import ControlPlaneError

_TIMEOUT = 30.0


def sync_httpx(config: Path) -> httpx.Client:
    """A blocking client with the credentials of a kubeconfig."""
    loaded = kubeconfig.load(config)
    return httpx.Client(base_url=loaded.server, verify=loaded.ssl_context(), timeout=_TIMEOUT, trust_env=False)


def async_httpx(config: Path) -> httpx.AsyncClient:
    """The same for async tests."""
    loaded = kubeconfig.load(config)
    return httpx.AsyncClient(base_url=loaded.server, verify=loaded.ssl_context(), timeout=_TIMEOUT, trust_env=False)


@contextlib.contextmanager
def kubernetes(config: Path) -> Iterator[Any]:
    """A `kubernetes.client.ApiClient`. Raises ControlPlaneError if the package is not installed."""
    try:
        from kubernetes import config as settings  # noqa: PLC0415, optional and slow to import
    except ImportError as error:
        raise _missing("kubernetes", "kubernetes_client") from error
    new_client: Any = settings.new_client_from_config
    with new_client(config_file=str(config)) as api:
        yield api


@contextlib.contextmanager
def kr8s(config: Path) -> Iterator[Any]:
    """A blocking `kr8s.Api`. Raises ControlPlaneError if the package is not installed."""
    try:
        import kr8s as library  # noqa: PLC0415, optional
        from kr8s import _async_utils as blocking  # noqa: PLC0415, optional
    except ImportError as error:
        raise _missing("kr8s", "kr8s_api") from error
    with warnings.catch_warnings():
        # It warns of each Kubernetes newer than itself, which is no news to a test.
        warnings.filterwarnings("ignore", "Kubernetes version .* is not supported", UserWarning)
        api: Any = library.api(kubeconfig=str(config))
    try:
        yield api
    finally:
        # It leaves its connections to the garbage collector, which complains where warnings are errors.
        if api._session is not None:
            blocking.as_sync_func(api._session.aclose)()


def _missing(package: str, method: str) -> ControlPlaneError:
    return ControlPlaneError(f"{method}() needs the package {package}: pip install {package}")
