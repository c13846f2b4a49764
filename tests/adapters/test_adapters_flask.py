"""Flask, behind the standard library's server."""

from collections.abc import Callable
from typing import Any

import pytest
from adapter_servers import TRACE, get, wsgi
from flask import Flask, abort
from werkzeug.exceptions import InternalServerError

import tellback
from tellback.adapters.flask import instrument

Named = Callable[[str], list[dict[str, Any]]]


def views(app: Flask) -> Flask:
    @app.get("/shots/<shot>")
    def shot(shot: str) -> str:
        tellback.event("shot_opened", shot=shot)
        return shot

    @app.get("/fail")
    def fail() -> str:
        raise ValueError("no sq10")

    @app.get("/abort")
    def stop() -> str:
        abort(500)

    return app


def test_a_request_is_a_span(named: Named) -> None:
    app = views(Flask(__name__))
    instrument(app, user=lambda: "guido")
    with wsgi(app) as url:
        get(url + "/shots/sq10", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
        get(url + "/nowhere")
    span, lost = named("span")
    (event,) = named("event")
    assert (span["name"], span["trace"], span["user"]) == ("GET /shots/<shot>", TRACE, "guido")
    assert (event["user"], event["span"], event["attrs"]["http.route"]) == ("guido", span["span"], "/shots/<shot>")
    assert (lost["name"], lost["attrs"]["http.response.status_code"]) == ("GET", 404)


def test_an_error_has_its_id_on_the_page(named: Named) -> None:
    app = views(Flask(__name__))
    instrument(app)
    with wsgi(app) as url:
        reply = get(url + "/fail", Accept="text/html")
        plain = get(url + "/abort")
    (error,) = named("error")
    assert error["attrs"]["id"] in reply.text
    assert reply.headers["tellback-error"] == error["attrs"]["id"]
    assert (error["attrs"]["mechanism"], error["attrs"]["http.route"]) == ("flask", "/fail")
    assert reply.status == plain.status == 500
    assert "Internal Server Error" in plain.text
    assert [span["attrs"]["status"] for span in named("span")] == ["error", "error"]


def test_the_hosts_own_page_wins_and_may_show_the_id(named: Named) -> None:
    app = views(Flask(__name__))

    @app.errorhandler(500)
    def own(error: InternalServerError) -> tuple[str, int]:
        return f"ours {tellback.capture(error.original_exception)}", 500

    instrument(app)
    with wsgi(app) as url:
        reply = get(url + "/fail")
    (error,) = named("error")
    assert reply.text == f"ours {error['attrs']['id']}"


def test_in_debug_mode_it_is_raised_for_the_debugger(named: Named) -> None:
    app = views(Flask(__name__))
    app.testing = True
    instrument(app)
    with pytest.raises(ValueError):
        app.test_client().get("/fail")
    assert len(named("error")) == len(named("span")) == 1
