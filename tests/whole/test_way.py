"""From a call to an answer, with nothing killed."""

import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running, until
from tests.whole.programs import environment, finish

PROGRAM = """
    import logging
    import tellback

    tellback.init(service="rigtools", release="1.4.2")
    logging.getLogger().addHandler(tellback.LogHandler())
    with tellback.bound(user="guido", shot="sq10"):
        tellback.event("export_to_file_edit", rows=1200)
        try:
            {}["sq20"]
        except KeyError:
            print(tellback.capture())
        logging.getLogger("rig").warning("solver took %d s", 9)
    assert tellback.flush(timeout=30)
"""


def ask(server: Running, name: str, /, **params: str) -> list[dict[str, Any]]:
    told = json.loads((server.data / "server.json").read_text())
    reply = server.request("GET", f"/api/questions/{name}?{urllib.parse.urlencode(params)}", token=told["token"])
    assert reply.status == 200, reply.body
    rows: list[dict[str, Any]] = reply.json()["rows"]
    return rows


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with Running(tmp_path / "data") as running:
        yield running


def test_a_call_becomes_an_answer(server: Running, tmp_path: Path) -> None:
    environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
    error_id = finish(PROGRAM, environ).strip()
    until(lambda: len(ask(server, "records.search")) == 3)

    (feature,) = ask(server, "adoption.features")
    assert (feature["name"], feature["records"], feature["users"]) == ("export_to_file_edit", 1, 1)
    (top,) = ask(server, "errors.top")
    assert (top["title"], top["records"], top["users"]) == ("KeyError: 'sq20'", 1, 1)
    (error,) = ask(server, "records.search", q=error_id)
    assert error["attrs"]["frames"][-1]["function"] == "<module>"
    (log,) = ask(server, "records.search", kind="log", level="warn")
    assert (log["name"], log["message"], log["user"]) == ("rig", "solver took 9 s", "guido")
    assert {row["service"] for row in ask(server, "records.search", release="1.4.2")} == {"rigtools"}
    assert {row["reason"]: row["records"] for row in ask(server, "store.ledger")}["difference"] == 0


def test_what_nobody_heard_is_heard_later(server: Running, tmp_path: Path) -> None:
    environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
    server.arguments = ("--port", str(server.port))
    server.stop()
    finish("import tellback; tellback.init(service='s'); tellback.event('alone'); tellback.close()", environ)
    server.start()
    finish("import tellback; tellback.init(service='s'); assert tellback.flush(timeout=30)", environ)
    until(lambda: ask(server, "records.search", name="alone"))
    assert len(ask(server, "records.search")) == 1
