"""One control plane, and a kubectl of its own, for the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import UpProcess


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    made = UpProcess(Path(tmp_path_factory.mktemp("up")) / "data")
    made.start()
    yield made
    made.terminate()
