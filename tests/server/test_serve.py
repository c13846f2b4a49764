"""`tellback serve`: starts, says what it must once, stops when told, refuses in words."""

import base64
import contextlib
import http.client
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tellback.version import __version__
from tests.server.running import RUN, SOURCE, Running, rows, until


def refused(*arguments: str) -> str:
    """The words of a start that does not happen."""
    env = dict(os.environ, PYTHONPATH=str(SOURCE))
    done = subprocess.run([sys.executable, str(RUN), *arguments], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, ""), done
    return done.stderr


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_nobody_else_reads_what_lies_in_a_directory_that_was_there_before(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "store.duckdb.wal.old").touch(mode=0o644)
    with Running(data) as server:
        assert server.post(b'{"name":"a"}').status == 202
        until(lambda: (data / "store.duckdb.wal").exists())
        assert {path.name: path.stat().st_mode & 0o077 for path in data.rglob("*") if path.stat().st_mode & 0o077} == {}
        assert server.stop() == 0


def test_a_head_without_end_is_refused_and_holds_up_nobody(tmp_path: Path) -> None:
    """Each piece of a header was joined to all before it: a hundred megabytes of it took the server a minute."""
    with Running(tmp_path / "data") as server:
        for beginning in (b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 40_000):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            with connection, contextlib.suppress(ConnectionError):
                connection.sendall(beginning)
                for _ in range(200):
                    connection.sendall(b"a" * 65536)
                pytest.fail("thirteen megabytes of head were taken")
        process = base64.urlsafe_b64encode(json.dumps({"service": "ж" * 4000, "release": "x" * 4000}).encode()).decode()
        for _ in range(2):  # a body after it, and another request on the same connection
            reply = server.post(b'{"message":"%b"}\n' % (b"a" * 900_000), Tellback_Process=process)
            assert (reply.status, reply.json()["accepted"]) == (202, 1)


def test_first_start_makes_a_directory_of_ones_own_and_says_the_token_once(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        assert server.token.isalnum()
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
        about = json.loads((server.data / "server.json").read_text())
        assert (about["url"], about["version"]) == (f"http://127.0.0.1:{server.port}", __version__)
        assert stat.S_IMODE((server.data / "server.json").stat().st_mode) == 0o600
        assert "alembic" not in (tmp_path / "stderr").read_text()
        assert "another server is running" in refused("--data", str(server.data), "--port", "0")
        assert server.stop() == 0
    assert not (server.data / "server.json").exists()
    token, server.token = server.token, ""
    with server:
        assert server.token == ""
        assert server.request("POST", "/v1/records", b"{}", token=token).status == 202
        assert server.stop() == 0


def test_health_and_readiness(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        health = server.request("GET", "/healthz", token="")
        assert (health.status, health.json()) == (200, {"status": "ok", "version": __version__})
        assert server.request("GET", "/readyz", token="").status == 200
        nowhere = server.request("GET", "/nowhere", token="")
        assert (nowhere.status, nowhere.json()["error"]["code"]) == (404, "not_found")
        assert server.stop() == 0


def test_sigterm_drains_what_is_under_way(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        body = b'{"name":"slow"}\n'
        connection.putrequest("POST", "/v1/records")
        connection.putheader("Authorization", f"Bearer {server.token}")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:5])
        # The first half has been read when another request on the same loop is answered.
        assert server.request("GET", "/healthz").status == 200
        server.process.terminate()
        until(lambda: _refuses(server.port))
        connection.send(body[5:])
        assert connection.getresponse().status == 202
        connection.close()
        assert server.process.wait(60) == 0
    assert rows(server.data, "SELECT name FROM records") == [("slow",)]
    assert list((server.data / "journal").iterdir()) == []


def _refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return True
    return False


def test_tokens_in_paths_stay_out_of_the_log(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        assert server.post(b'[{"event":"a"}]', f"/mito/{server.token}?user=u").status == 202
        assert server.post(b"garbage", f"/mito/{server.token}").status == 400
        server.request("GET", f"/nowhere/{server.token}")
        assert server.stop() == 0
    assert server.token not in (tmp_path / "stderr").read_text()


def test_the_zone_is_fixed_by_the_first_start(tmp_path: Path) -> None:
    with Running(tmp_path / "data", "--zone", "Asia/Kolkata") as server:
        assert server.stop() == 0
    assert "reports in Asia/Kolkata" in refused("--data", str(tmp_path / "data"), "--port", "0", "--zone", "UTC")
    assert "no time zone" in refused("--data", str(tmp_path / "other"), "--port", "0", "--zone", "Mars")


def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert "no such listener" in refused("--data", data, "--listen", "statsd=127.0.0.1:8125")
    assert "0 to 65535" in refused("--data", data, "--port", "99999")
    (tmp_path / "file").write_text("")
    assert "as data directory" in refused("--data", str(tmp_path / "file"), "--port", "0")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "store.duckdb").write_bytes(b"no database" * 10_000)
    assert "cannot be opened" in refused("--data", str(tmp_path / "broken"), "--port", "0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen" in refused("--data", data, "--port", str(taken.getsockname()[1]))


@pytest.mark.skipif(os.name == "nt", reason="needs 0.0.0.0 to be free to bind")
def test_letting_other_machines_in_is_said(tmp_path: Path) -> None:
    with Running(tmp_path / "data", "--host", "0.0.0.0") as server:
        assert server.request("GET", "/healthz").status == 200
        assert server.stop() == 0
    assert "lets other machines in" in (tmp_path / "stderr").read_text()
