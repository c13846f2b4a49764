"""A request that fails, from the middleware to the answers and to the page of its error."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running, until
from tests.whole.programs import environment, finish
from tests.whole.test_way import ask

PROGRAM = """
    from wsgiref.util import setup_testing_defaults

    import tellback
    from tellback.adapters.wsgi import Middleware

    def application(environ, start_response):
        tellback.event("shot_opened", shot="sq10")
        try:
            raise ExceptionGroup("several", [ValueError("no sq10"), KeyError("sq20")])
        except ExceptionGroup as group:
            raise RuntimeError("cannot open") from group

    tellback.init(service="rigtools")
    environ = {"REMOTE_USER": "guido"}
    setup_testing_defaults(environ)
    headers = []
    Middleware(application)(environ, lambda status, given, *rest: headers.extend(given))
    print(dict(headers)["Tellback-Error"])
    print(tellback.report("the rig popped", fingerprint="pop"))
    assert tellback.flush(timeout=30)
"""


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with Running(tmp_path / "data") as running:
        yield running


def test_what_a_person_quotes_leads_to_what_happened(server: Running, tmp_path: Path) -> None:
    environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
    failed, reported = finish(PROGRAM, environ).split()
    until(lambda: len(ask(server, "records.search")) == 4)

    assert {row["title"] for row in ask(server, "errors.top")} == {"RuntimeError: cannot open", "the rig popped"}
    (error,) = ask(server, "records.search", q=failed, kind="error", name="RuntimeError")
    (span,) = ask(server, "records.search", kind="span")
    assert (error["trace"], error["user"], span["attrs"]["error"]) == (span["trace"], "guido", failed)
    (crumb,) = error["attrs"]["breadcrumbs"]
    assert (crumb["name"], crumb["attrs"]) == ("shot_opened", {"shot": "sq10"})
    (cause,) = error["attrs"]["causes"]
    assert [member["message"] for member in cause["members"]] == ["no sq10", "'sq20'"]
    assert span["duration"] > 0
    # Who only asked for a page has not done anything yet; who opened a shot has.
    (active,) = ask(server, "adoption.active_users")
    assert active["users"] == 1
    assert [row["name"] for row in ask(server, "adoption.features")] == ["shot_opened"]
    (report,) = ask(server, "records.search", q=reported)
    assert report["attrs"]["fingerprint"] == ["pop"]
    assert {row["reason"]: row["records"] for row in ask(server, "store.ledger")}["difference"] == 0
