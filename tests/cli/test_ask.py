import csv
import io
import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tellback.cli._table import table, width
from tellback.server.questions.catalogue import catalogue

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NOVEMBER = ("--param", "from=2026-11-01", "--param", "to=2026-12-01")


@pytest.fixture
def read(server: Any) -> tuple[str, ...]:
    server.store.people([("ann", "rig")])
    server.store.add(
        {"time": "2026-11-03T10:00:00", "user": "ann", "name": "export"},
        {"time": "2026-11-04T10:00:00", "user": "Zoë", "name": "日本\x1b[31m"},
    )
    return ("--url", server.url, "--token", server.access.new_token(["read"]).token)


def test_a_table_is_for_eyes(tellback: Run, read: tuple[str, ...]) -> None:
    run = tellback("ask", "adoption.top_users", *NOVEMBER, *read)
    assert run.returncode == 0
    assert run.stdout == (
        "rank  user  team     records  days_active  last_seen\n"
        "----  ----  -------  -------  -----------  --------------------\n"
        "   1  Zoë   no team        1            1  2026-11-04T10:00:00Z\n"
        "   2  ann   rig            1            1  2026-11-03T10:00:00Z\n"
    )
    assert run.stderr == (
        "2 rows: 2026-11-01T00:00:00Z to 2026-12-01T00:00:00Z (UTC), complete through 2026-12-01T00:00:00Z\n"
    )


def test_json_and_csv_are_those_of_the_api(tellback: Run, read: tuple[str, ...]) -> None:
    as_json = tellback("ask", "adoption.features", *NOVEMBER, "--format", "json", *read)
    answer = json.loads(as_json.stdout)
    assert [row["name"] for row in answer["rows"]] == ["export", "日本\x1b[31m"]
    as_csv = tellback("ask", "adoption.features", *NOVEMBER, "--format", "csv", *read)
    assert [row["name"] for row in csv.DictReader(io.StringIO(as_csv.stdout))] == ["export", "日本\x1b[31m"]
    assert as_csv.stderr == ""


def test_a_repeated_parameter_means_either_and_pages_go_on(tellback: Run, read: tuple[str, ...]) -> None:
    words = ("ask", "records.search", *NOVEMBER, "--param", "user=ann", "--param", "user=Zoë", "--param", "limit=1")
    first = tellback(*words, *read)
    cursor = first.stderr.rpartition("cursor=")[2].strip()
    second = tellback(*words, "--param", f"cursor={cursor}", "--format", "json", *read)
    assert [row["user"] for row in json.loads(second.stdout)["rows"]] == ["ann"]


def test_without_a_name_it_lists_the_questions(tellback: Run, read: tuple[str, ...], server: Any) -> None:
    far = tellback("ask", *read)
    near = tellback("ask", "--data", str(server.data))
    assert far.stdout == near.stdout
    assert [line.split()[0] for line in far.stdout.splitlines()[2:]] == list(catalogue())
    assert json.loads(tellback("ask", "--format", "json", *read).stdout)["questions"][0]["params"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("ask", "adoption.features", "--param", "nope=1"), 2, "there are: cursor, environment"),
        (("ask", "adoption.nope"), 2, "adoption.features"),
        (("ask", "../tokens"), 2, "nothing is at"),
        (("token", "list"), 4, "scope admin"),
        (("people", "list"), 4, "scope admin"),
    ],
)
def test_refusals_are_told_in_words(
    tellback: Run, read: tuple[str, ...], words: tuple[str, ...], code: int, says: str
) -> None:
    run = tellback(*words, *read)
    assert (run.returncode, run.stdout) == (code, "")
    assert says in run.stderr


def test_denied_and_unreachable_have_their_own_codes(tellback: Run, server: Any) -> None:
    assert tellback("ask", "errors.top", "--url", server.url).returncode == 4
    assert tellback("ask", "errors.top", TELLBACK_URL=server.url, TELLBACK_TOKEN="x").returncode == 4
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        run = tellback("ask", "errors.top", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert run.returncode == 3
    assert "tellback serve" in run.stderr


def test_a_data_directory_leads_to_its_running_server(tellback: Run, read: tuple[str, ...], server: Any) -> None:
    fcntl = pytest.importorskip("fcntl")
    (server.data / "server.json").write_text(json.dumps({"url": server.url, "token": server.access.local_token}))
    with (server.data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = tellback("ask", "adoption.features", *NOVEMBER, "--format", "json", TELLBACK_DATA=str(server.data))
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)["rows"]) == 2


def test_a_proxy_of_the_environment_is_not_for_loopback(tellback: Run, read: tuple[str, ...]) -> None:
    run = tellback("ask", *read, http_proxy="http://127.0.0.1:9")
    assert run.returncode == 0, run.stderr


def test_a_redirect_does_not_get_the_token(tellback: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        asked: list[bytes] = []

        def redirect() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(
                    f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{listener.getsockname()[1]}/x\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )

        thread = threading.Thread(target=redirect)
        thread.start()
        run = tellback("ask", "x", "--url", f"http://127.0.0.1:{listener.getsockname()[1]}", "--token", "secret")
        thread.join()
    assert len(asked) == 1
    assert run.returncode == 1
    assert "not as a Tellback server" in run.stderr


def test_tables() -> None:
    rows = [{"a": "x", "n": 1.5, "o": {"k": None}, "e": None}, {"a": "日本", "n": 12, "o": None, "e": None}]
    assert table(rows) == ('a       n  o            e\n----  ---  -----------  -\nx     1.5  {"k": null}\n日本   12\n')
    assert table([], ["a"]) == "a\n-\n"
    assert table([{"team": None, "t": "x" * 500}]).splitlines()[2] == f"no team  {'x' * 119}…"
    wide = [{**{f"c{n}": None for n in range(20)}, "last": 1}]
    assert table(wide) == "last\n----\n   1\n"
    assert [width(text) for text in ("é", "e\u0301", "日")] == [1, 1, 2]


def test_the_servers_side_is_in_one_process_only(tmp_path: Path) -> None:
    from tellback.cli._place import running

    (tmp_path / "server.json").write_text('{"url": "http://127.0.0.1:1", "token": "x"}')
    (tmp_path / "lock").touch()
    assert running(tmp_path) is None, "left behind by a server that was killed"


def test_a_table_shows_no_more_digits_than_its_numbers_bear() -> None:
    rows = [{"time": "2026-11-25T09:10:52.517794952Z", "last_seen": "2026-11-25T09:10:52.517794952Z", "share": 5 / 6}]
    assert table(rows).splitlines()[-1].split() == ["2026-11-25T09:10:52.517794952Z", "2026-11-25T09:10:52Z", "0.833"]
