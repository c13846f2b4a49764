"""A spool for each test of an adapter."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapter_servers import records

import tellback
from tellback.client import notice

# What Pyramid imports is called deprecated: `cgi` by Python 3.11, `pkg_resources` by setuptools.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyramid.config  # noqa: F401
    import webob  # noqa: F401

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Start recording without a server; gives a function that reads what lies in the spool."""
    for name in list(os.environ):
        if name.startswith("TELLBACK_") or name == "DO_NOT_TRACK":
            monkeypatch.delenv(name)
    notice._said.clear()
    tellback.init(service="tests", spool=tmp_path)
    yield lambda: records(tmp_path)
    tellback.close(0)


@pytest.fixture
def named(recorded: Callable[[], list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    """The records of one kind."""
    return lambda kind: [record for record in recorded() if record["kind"] == kind]
