"""The command line on a data directory whose server does not run, or was killed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.running import Running
from tests.whole.programs import SOURCE, environment


def tellback(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = environment("http://127.0.0.1:9", "", tmp_path / "spool")
    for name in ("TELLBACK_URL", "TELLBACK_TOKEN"):
        del environ[name]
    command = [sys.executable, "-W", "error", "-m", "tellback.cli", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, cwd=SOURCE, timeout=120)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_acknowledged_is_in_the_answer_without_a_server(tmp_path: Path, end: str) -> None:
    server = Running(tmp_path / "data").start()
    body = b"".join(b'{"name":"open","user":"u%d"}\n' % number for number in range(7))
    assert server.post(body).json()["accepted"] == 7
    # At once: a killed server has not loaded it, it lies in the journal.
    getattr(server, end)()
    answer = tellback(tmp_path, "ask", "adoption.features", "--format", "json", "--data", str(tmp_path / "data"))
    assert answer.returncode == 0, answer.stderr
    (row,) = json.loads(answer.stdout)["rows"]
    assert (row["name"], row["records"], row["users"], row["share"]) == ("open", 7, 7, 1)


def test_a_token_made_and_people_imported_without_a_server_count_at_its_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Running(data).start()
    server.stop()
    token = tellback(tmp_path, "token", "new", "--read", "--data", str(data)).stdout.strip()
    people = tmp_path / "people.csv"
    people.write_text("user,team\nguido,Rigging\n")
    assert tellback(tmp_path, "people", "import", str(people), "--data", str(data)).returncode == 0
    with Running(data) as server:
        reply = server.request("GET", "/api/questions/adoption.teams", token=token)
    assert [(row["team"], row["people"], row["active"]) for row in reply.json()["rows"]] == [("Rigging", 1, 0)]
