from collections.abc import Iterator

import pytest
from memory_store import MemoryStore


@pytest.fixture(scope="session")
def engine() -> Iterator[MemoryStore]:
    made = MemoryStore()
    yield made
    made.connection.close()


@pytest.fixture
def store(engine: MemoryStore) -> MemoryStore:
    engine.clear()
    return engine
