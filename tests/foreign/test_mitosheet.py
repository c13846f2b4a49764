"""The real, unmodified mitosheet against a running server: its events, its error, the answers its readers want."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tellback.demo.serving import Server

pytestmark = pytest.mark.foreign

PEOPLE = "user,team,name\nguido,Lighting,Guido Moreau\nada,Lighting,Ada Okafor\nwei,Layout,Wei Lange\n"


@dataclass
class Told:
    """The server after the session, and what the session did."""

    server: Server
    events: list[str]
    failed: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, foreign: Callable[[str], str]) -> Iterator[Told]:
    python = foreign("mitosheet")
    folder = tmp_path_factory.mktemp("mito")
    with Server(folder / "data", port=0) as server:
        people = folder / "people.csv"
        people.write_text(PEOPLE)
        server.run("people", "import", str(people))
        token = server.run("token", "new", "--write").strip()
        with _session(python, folder, server.url, token) as program:
            assert program.stdout is not None
            # mitosheet prints what failed as well; the line of JSON is ours.
            did = next(json.loads(line) for line in program.stdout if line.startswith("{"))
            _await(server, records=len(did["events"]) + 1)
            program.communicate()
        yield Told(server, did["events"], did["failed"])


def _session(python: str, folder: Path, url: str, token: str) -> "subprocess.Popen[str]":
    drive = Path(__file__).with_name("drive_mitosheet.py")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # mitosheet keeps a folder there
        "CI": "1",
        "MITO_CONFIG_FEATURE_TELEMETRY": "False",
        "MITO_CONFIG_VERSION": "2",
        "MITO_CONFIG_LOG_SERVER_URL": f"{url.replace('http://', f'http://guido:{token}@')}/mito",
        "MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL": "1",
    }
    return subprocess.Popen(
        [python, str(drive), str(folder)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _await(server: Server, records: int) -> None:
    deadline = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while len(found) < records:
        assert time.monotonic() < deadline, f"{len(found)} of {records} records came"
        time.sleep(0.1)
        found = server.ask("records.search")


def test_every_event_is_there_once_with_its_user_and_versions(told: Told) -> None:
    rows = told.server.ask("records.search", kind="event")
    assert sorted(row["name"] for row in rows) == sorted(told.events)
    assert {row["user"] for row in rows} == {"guido"}
    assert {row["service"] for row in rows} == {"mito"}
    assert {row["release"] for row in rows} == {"0.2.69"}
    assert {row["python"] for row in rows} == {"3.11." + row["python"].split(".")[2] for row in rows}


def test_the_error_has_its_severity_and_the_feature_that_failed(told: Told) -> None:
    (row,) = told.server.ask("records.search", kind="error")
    assert row["user"] == "guido"
    assert "no_such_column" in row["message"]
    attrs = row["attrs"] if isinstance(row["attrs"], dict) else json.loads(row["attrs"])
    assert attrs["severity"] == "10"
    assert told.failed in attrs.values()


def test_nothing_is_lost_on_the_way(told: Told) -> None:
    ledger = {row["reason"]: row["records"] for row in told.server.ask("store.ledger")}
    assert ledger["visible"] == ledger["accepted"] == len(told.events) + 1
    assert ledger.get("quarantined", 0) == 0


def test_who_uses_it(told: Told) -> None:
    assert [row["users"] for row in told.server.ask("adoption.active_users", period="month")][-1] == 1
    (top,) = told.server.ask("adoption.top_users")
    assert (top["rank"], top["user"], top["team"], top["records"]) == (1, "guido", "Lighting", len(told.events))


def test_which_teams_have_not_adopted(told: Told) -> None:
    teams = {row["team"]: row for row in told.server.ask("adoption.teams")}
    assert (teams["Lighting"]["people"], teams["Lighting"]["active"], teams["Lighting"]["adopted"]) == (2, 1, 0.5)
    assert (teams["Layout"]["people"], teams["Layout"]["active"], teams["Layout"]["adopted"]) == (1, 0, 0)


def test_which_features_are_used(told: Told) -> None:
    features = {row["name"]: row for row in told.server.ask("adoption.features")}
    assert set(features) == set(told.events)
    assert features["pivot_edit"]["users"] == 1
    assert features["pivot_edit"]["share"] == 1


def test_what_blocked_people_and_who_comes_back(told: Told) -> None:
    (error,) = told.server.ask("errors.top")
    assert "no_such_column" in error["title"]
    assert (error["records"], error["users"]) == (1, 1)
    cohorts = told.server.ask("adoption.retention")
    assert [(row["period"], row["users"], row["share"]) for row in cohorts if row["users"]] == [(0, 1, 1)]
