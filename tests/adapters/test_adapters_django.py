"""Django, under WSGI and under ASGI."""

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from adapter_servers import SPAN, TRACE, asgi, get, wsgi
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django_project import SETTINGS, urlpatterns

import tellback

Named = Callable[[str], list[dict[str, Any]]]

if not settings.configured:
    settings.configure(**SETTINGS)
    django.setup()


@pytest.fixture(params=["wsgi", "asgi"])
def serve(request: pytest.FixtureRequest) -> Callable[[], Any]:
    return (lambda: wsgi(WSGIHandler())) if request.param == "wsgi" else (lambda: asgi(ASGIHandler()))


@pytest.mark.parametrize("path", ["/shots/", "/later/"])
def test_a_request_is_a_span(named: Named, serve: Callable[[], Any], path: str) -> None:
    with serve() as url:
        assert get(f"{url}{path}sq10", traceparent=f"00-{TRACE}-{SPAN}-01", X_User="guido").text == "sq10"
        get(url + "/healthz")
    (span,), (event,) = named("span"), named("event")
    assert (span["name"], span["user"], span["trace"], span["parent"]) == (f"GET {path}<shot>", "guido", TRACE, SPAN)
    assert (event["user"], event["span"], event["attrs"]["http.route"]) == ("guido", span["span"], f"{path}<shot>")


@pytest.mark.parametrize("path", ["/fail", "/fail_later"])
def test_an_error_has_its_id_on_the_page(named: Named, serve: Callable[[], Any], path: str) -> None:
    with serve() as url:
        reply = get(url + path, Accept="text/html")
        get(url + "/nothing")
    (error,) = named("error")
    assert reply.status == 500
    assert f"<code>{error['attrs']['id']}</code>" in reply.text
    assert reply.headers["tellback-error"] == error["attrs"]["id"]
    assert (error["name"], error["attrs"]["mechanism"], error["attrs"]["http.route"]) == ("ValueError", "django", path)
    failed, nothing = named("span")
    assert (failed["attrs"]["error"], failed["attrs"]["status"]) == (error["attrs"]["id"], "error")
    assert (nothing["attrs"]["http.response.status_code"], nothing["attrs"]["status"]) == (404, "ok")


@pytest.fixture
def own_urls() -> Iterator[str]:
    module = types.ModuleType("own_urls")
    module.urlpatterns = urlpatterns  # type: ignore[attr-defined]
    module.handler500 = lambda request: HttpResponse(f"ours {request.tellback_error}", status=500)  # type: ignore[attr-defined]
    sys.modules["own_urls"] = module
    yield "own_urls"
    del sys.modules["own_urls"]


def test_the_hosts_own_page_wins_and_may_show_the_id(named: Named, own_urls: str) -> None:
    with override_settings(ROOT_URLCONF=own_urls), wsgi(WSGIHandler()) as url:
        reply = get(url + "/fail")
    (error,) = named("error")
    assert reply.text == f"ours {error['attrs']['id']}"
    assert reply.headers["tellback-error"] == error["attrs"]["id"]


def test_a_template_of_the_hosts_wins(named: Named) -> None:
    loaders = [("django.template.loaders.locmem.Loader", {"500.html": "sorry"})]
    templates = [{**SETTINGS["TEMPLATES"][0], "OPTIONS": {"loaders": loaders}}]
    with override_settings(TEMPLATES=templates), wsgi(WSGIHandler()) as url:
        reply = get(url + "/fail")
    assert reply.text == "sorry"
    assert reply.headers["tellback-error"] == named("error")[0]["attrs"]["id"]


def test_before_init_it_only_passes_on(serve: Callable[[], Any]) -> None:
    tellback.close(0)
    with serve() as url:
        assert get(url + "/shots/sq10").text == "sq10"
        assert "tellback-error" not in get(url + "/fail").headers
