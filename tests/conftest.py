"""Fixtures every test shares."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the servers do; session-wide, so that wider async fixtures may exist."""
    return "asyncio"
