"""Certificates, made once."""

from pathlib import Path

import pytest

from .ends import Files


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(Path(tmp_path_factory.mktemp("certificates")))
