"""The real jupyter_events 0.12.1 and jupyter_telemetry 0.1.0 with Tellback's handler, against a running server."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tellback.demo.serving import Server

pytestmark = pytest.mark.foreign

SOURCE = Path(__file__).parents[2] / "src"
OPENED, SAVED = "https://example.org/opened", "https://example.org/saved"
EVENTS = [{"path": "a.ipynb"}, {"path": "b.ipynb", "message": "naïve"}]


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, foreign: Callable[[str], str]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """What the session printed, and the rows that the server then has."""
    python = foreign("jupyter")
    folder = tmp_path_factory.mktemp("jupyter")
    with Server(folder / "data", port=0) as server:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(SOURCE), "TELLBACK_URL": server.url,
            "TELLBACK_TOKEN": server.run("token", "new", "--write").strip(), "TELLBACK_SPOOL": str(folder / "spool"),
        }  # fmt: skip
        drive = [python, str(Path(__file__).with_name("drive_jupyter.py"))]
        done = subprocess.run(drive, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        ask = ("records.search", "--param", "from=2026-01-01", "--param", "to=2100-01-01")
        yield json.loads(done.stdout), _rows(server, ask)


def _rows(server: Server, ask: tuple[str, ...]) -> list[dict[str, Any]]:
    import time

    deadline = time.monotonic() + 20
    while True:
        answer = json.loads(server.run("ask", *ask, "--format", "json"))
        rows: list[dict[str, Any]] = answer["rows"] if isinstance(answer, dict) else answer
        if len(rows) >= 7:
            return rows
        assert time.monotonic() < deadline, f"{len(rows)} of 7 events came"
        time.sleep(0.1)


def attrs(row: dict[str, Any]) -> dict[str, Any]:
    found: Any = row["attrs"]
    return dict(found if isinstance(found, dict) else json.loads(found))


def test_every_event_of_jupyter_events_is_there_with_its_fields(told: Any) -> None:
    printed, rows = told
    assert printed["acknowledged"] is True
    opened = [row for row in rows if row["name"] == OPENED]
    assert {row["kind"] for row in opened} == {"event"}
    assert {row["service"] for row in opened} == {"notebooks"}
    expected = [{**event, "tellback.schema_version": "1"} for event in [*EVENTS, {"path": "when"}]]
    assert sorted(map(attrs, opened), key=lambda a: a["path"]) == sorted(expected, key=lambda a: a["path"])
    (when,) = [row for row in opened if attrs(row)["path"] == "when"]
    assert when["time"].startswith("2026-11-25T10:00:00.123456")


def test_theirs_and_the_stand_in_record_the_same(told: Any) -> None:
    _, rows = told
    saved = [row for row in rows if row["name"] == SAVED]
    assert len(saved) == 4
    assert {row["time"] for row in saved} == {saved[0]["time"]}
    for event in EVENTS:
        assert [attrs(row) for row in saved].count({**event, "tellback.schema_version": "2"}) == 2
    assert len(rows) == 7, "what is not allowed is not recorded"


def test_other_handlers_get_the_capsule_as_ever(told: Any) -> None:
    printed, _ = told
    # 0.1.0 leaves out a field that is called message, whatever the schema says.
    ours = [{key: value for key, value in line.items() if key != "message"} for line in printed["ours"]]
    assert ours == printed["theirs"]
    assert printed["ours"][1]["message"] == "naïve"
    assert len(printed["ours"]) == 2
    assert [line["__schema__"] for line in printed["events"]] == [OPENED] * 3
