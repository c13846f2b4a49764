"""Pyramid, behind the standard library's server."""

from collections.abc import Callable
from typing import Any

import pytest
from adapter_servers import SPAN, TRACE, get, wsgi
from pyramid.config import Configurator
from pyramid.response import Response

import tellback

Named = Callable[[str], list[dict[str, Any]]]


def shot(request: Any) -> Response:
    tellback.event("shot_opened", shot=request.matchdict["shot"])
    return Response(request.matchdict["shot"])


def fail(request: Any) -> Response:
    raise ValueError("no sq10")


def not_there(request: Any) -> Response:
    raise KeyError("sq10")


def application(more: Callable[[Any], object] = lambda config: None, **settings: Any) -> Any:
    with Configurator(settings=settings) as config:
        config.include("tellback.adapters.pyramid")
        for name, pattern, view in (("shot", "shots/{shot}", shot), ("fail", "/fail", fail), ("no", "/no", not_there)):
            config.add_route(name, pattern)
            config.add_view(view, route_name=name)
        config.add_exception_view(lambda error, request: Response("no such shot", status=404), context=KeyError)
        more(config)
        return config.make_wsgi_app()


def test_a_request_is_a_span(named: Named) -> None:
    settings = {"tellback.user": lambda request: request.headers.get("X-User"), "tellback.ignore": "/healthz /ping"}
    with wsgi(application(**settings)) as url:
        get(url + "/shots/sq10", traceparent=f"00-{TRACE}-{SPAN}-01", X_User="guido")
        get(url + "/ping")
        get(url + "/nowhere")
    span, lost = named("span")
    (event,) = named("event")
    assert (span["name"], span["user"], span["parent"]) == ("GET /shots/{shot}", "guido", SPAN)
    assert (event["span"], event["attrs"]["http.route"]) == (span["span"], "/shots/{shot}")
    assert (lost["attrs"]["http.response.status_code"], lost["attrs"]["status"]) == (404, "ok")


def test_the_error_view_shows_the_id(named: Named) -> None:
    with wsgi(application()) as url:
        reply = get(url + "/fail", Accept="text/html")
    (error,) = named("error")
    assert reply.status == 500
    assert f"<code>{error['attrs']['id']}</code>" in reply.text
    assert reply.headers["tellback-error"] == error["attrs"]["id"]
    assert (error["attrs"]["mechanism"], error["attrs"]["http.route"]) == ("pyramid", "/fail")
    assert named("span")[0]["attrs"]["error"] == error["attrs"]["id"]


def test_what_a_view_made_a_404_of_is_no_error(named: Named) -> None:
    with wsgi(application()) as url:
        assert get(url + "/no").text == "no such shot"
    assert named("error") == []
    assert named("span")[0]["attrs"]["status"] == "ok"


def test_an_error_view_of_the_hosts_wins_and_may_show_the_id(named: Named) -> None:
    def own(error: Exception, request: Any) -> Response:
        return Response(f"ours {tellback.capture(error)}", status=500)

    with wsgi(application(lambda config: config.add_exception_view(own, context=Exception))) as url:
        reply = get(url + "/fail")
    (error,) = named("error")
    assert reply.text == f"ours {error['attrs']['id']}"
    assert named("span")[0]["attrs"]["error"] == error["attrs"]["id"]


def test_without_the_view_it_is_raised_for_the_debugger(named: Named) -> None:
    app = application(**{"tellback.error_page": "false"})
    with pytest.raises(ValueError):
        app(
            {
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/fail",
                "SERVER_NAME": "h",
                "SERVER_PORT": "80",
                "wsgi.url_scheme": "http",
            },
            None,
        )
    assert len(named("error")) == len(named("span")) == 1


def test_before_init_it_only_passes_on() -> None:
    tellback.close(0)
    with wsgi(application()) as url:
        assert get(url + "/shots/sq10").text == "sq10"
        assert "tellback-error" not in get(url + "/fail").headers
