from pathlib import Path

import pytest

from trikube.pki import layout


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> layout.Layout:
    directory: Path = tmp_path_factory.mktemp("pki")
    return layout.ensure(directory)
