"""An empty data directory, and a store in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tellback.server.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "journal").mkdir()
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    made = Store(folder / "store.duckdb", zone="Europe/Berlin")
    yield made
    made.close()
