import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "questions"))

from memory_store import MemoryStore

from tellback.server.access import Access
from tellback.server.api import Api, on_http_error, routes
from tellback.server.api.metrics import Metric
from tellback.server.control import Control
from tellback.server.decisions import Decisions, open_decisions
from tellback.server.grant import Grant
from tellback.server.questions.asking import Given, ask
from tellback.server.questions.contract import Answer


@pytest.fixture(scope="session")
def engine() -> Iterator[MemoryStore]:
    made = MemoryStore()
    yield made
    made.connection.close()


@pytest.fixture
def store(engine: MemoryStore) -> MemoryStore:
    engine.clear()
    return engine


@pytest.fixture
def decisions(tmp_path: Path) -> Iterator[Decisions]:
    made = open_decisions(tmp_path, "")
    yield made
    made.close()


@pytest.fixture
def access(decisions: Decisions) -> Access:
    return Access(decisions)


@pytest.fixture
def client(store: MemoryStore, decisions: Decisions, access: Access) -> Iterator[TestClient]:
    async def answer(grant: Grant, name: str, given: Given) -> Answer:
        return ask(store, name, given, reads=grant.reads)

    measured = {"tellback_records_total": Metric("counter", "Records\nby reason.", {(("reason", 'a"b'),): 3, (): 1.5})}
    api = Api(answer, access, decisions, Control(decisions), lambda: measured)
    app = Starlette(routes=routes(api), exception_handlers={HTTPException: on_http_error})
    with TestClient(app, base_url="http://tellback.test") as made:
        yield made
