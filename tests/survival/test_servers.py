"""Under the servers that Python programs really run in: forked after import, patched, killed and told to end."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.client.intake_stub import Server
from tests.survival.hosts import environment, finish, kept, lost, numbers, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these servers fork")

PROGRAMS = Path(__file__).with_name("programs")
BIN = Path(sys.executable).parent

GUNICORN = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0", "--graceful-timeout", "5"]
UWSGI = [str(BIN / "pyuwsgi"), "--http-socket", "127.0.0.1:0", "--master", "--processes", "2", "--die-on-term"]

SERVERS = {
    "gunicorn-sync": [*GUNICORN, "--preload", "web:wsgi"],
    "gunicorn-threads": [*GUNICORN, "--preload", "-k", "gthread", "--threads", "4", "web:wsgi"],
    "gunicorn-gevent-preload": [*GUNICORN, "--preload", "-k", "gevent", "web:wsgi"],
    "gunicorn-gevent": [*GUNICORN, "-k", "gevent", "web:wsgi"],
    "gunicorn-uvicorn": [*GUNICORN, "--preload", "-k", "uvicorn_worker.UvicornWorker", "web:asgi"],
    "pyuwsgi": [*UWSGI, "--wsgi", "web:wsgi"],
    "pyuwsgi-threads": [*UWSGI, "--enable-threads", "--threads", "2", "--wsgi", "web:wsgi"],
    "pyuwsgi-lazy": [*UWSGI, "--enable-threads", "--lazy-apps", "--wsgi", "web:wsgi"],
}

PORT = re.compile(r"(?:Listening at: http://|bound to TCP address )127\.0\.0\.1:(\d+)")


@contextmanager
def serving(name: str, spool: Path, url: str | None, home: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    log = home / "log"
    environ = environment(spool, url, HOME=str(home))  # gunicorn keeps a control socket there
    environ["PYTHONPATH"] += os.pathsep + str(PROGRAMS)
    with log.open("wb") as file:
        process = subprocess.Popen(
            SERVERS[name], env=environ, stdout=file, stderr=file, cwd=home, start_new_session=True
        )
    try:
        found = until(lambda: PORT.search(log.read_text()) or (process.poll() is not None and log.read_text()))
        assert not isinstance(found, str), found
        yield int(found[1]), process
    except BaseException:
        print(log.read_text())
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers, too
        process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def get(port: int, n: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", f"/{n}")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return int(body)
    finally:
        connection.close()


@pytest.mark.parametrize("where", ["server", "stalled server"])
@pytest.mark.parametrize("name", SERVERS)
def test_web_servers(name: str, where: str, spool: Path, server: Server, stalled: str, tmp_path: Path) -> None:
    url = server.url if where == "server" else stalled
    with serving(name, spool, url, tmp_path) as (port, process):
        first = until(lambda: get(port, 0))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: get(port, n), range(1, 13)))
        with suppress(OSError, http.client.HTTPException):
            get(port, 13)  # its worker kills itself
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: until(lambda: get(port, n)), range(14, 40)))
        assert first != process.pid
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    if where == "server":
        finish("import tellback; tellback.init(service='web'); assert tellback.flush(30)", environment(spool, url))
        assert not list(spool.glob("*/*.ndjson"))
    records = kept(spool, server)
    assert numbers(records) == list(range(40))
    assert sum(record["kind"] == "span" for record in records) == 40
    assert lost(records) == {}
    if where == "server":  # each worker's counts, told by itself or by who came after it
        assert sum(r["value"] for r in records if r.get("kind") == "metric" and r["name"] == "requests") == 40


def test_celery_prefork(spool: Path, server: Server, tmp_path: Path) -> None:
    broker = tmp_path / "broker"
    (broker / "control").mkdir(parents=True)
    environ = environment(spool, server.url, BROKER=str(broker), HOME=str(tmp_path))
    environ["PYTHONPATH"] += os.pathsep + str(PROGRAMS)
    finish("import tasks; [tasks.work.delay(n) for n in range(40)]", environ | {"PYTHONWARNINGS": "ignore"})
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--loglevel", "INFO"], env=environ, stdout=file, stderr=file, cwd=tmp_path
        )
    try:
        until(lambda: len(numbers(kept(spool, server))) == 40, 60)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    except BaseException:
        print(log.read_text())
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    finish("import tellback; tellback.init(service='tasks'); assert tellback.flush(30)", environ)
    assert numbers(server.records()) == list(range(40))
    assert not list(spool.glob("*/*.ndjson"))
