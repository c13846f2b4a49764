"""Each test gets a spool of its own and leaves no client behind."""

import _thread
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import lines

import tellback
from tellback.client import live, notice
from tellback.client.metrics import current, process


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # Where a spool goes whose own place will not do.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    for name in list(os.environ):
        if name.startswith("TELLBACK_") or name == "DO_NOT_TRACK":
            monkeypatch.delenv(name)
    notice._said.clear()
    tellback.close(0)
    before = _thread._count()
    yield
    tellback.close(0)
    deadline = time.monotonic() + 15
    while _thread._count() > before:
        assert time.monotonic() < deadline, "a thread of the client outlives it"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def forgotten(clean: None) -> Iterator[None]:
    """Instruments live as long as the process; each test begins without any."""
    yield
    current.made.clear()
    current.asked.clear()
    process._begun.clear()
    live.begun.clear()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def recorded(spool: Path) -> Callable[[], list[dict[str, Any]]]:
    """Start recording without a server; gives a function that reads what lies in the spool."""
    tellback.init(service="tests", spool=spool)
    return lambda: lines(spool)
