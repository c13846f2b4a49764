"""A spool for each test of an adapter."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tellback
from tellback.client import notice

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from spool_files import lines


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Start recording without a server; gives a function that reads what lies in the spool."""
    for name in list(os.environ):
        if name.startswith("TELLBACK_") or name == "DO_NOT_TRACK":
            monkeypatch.delenv(name)
    notice._said.clear()
    tellback.init(service="tests", spool=tmp_path / "spool")
    yield lambda: lines(tmp_path / "spool")
    tellback.close(0)
