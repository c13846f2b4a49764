"""ASGI, with FastAPI and Starlette behind uvicorn."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from adapter_servers import SPAN, TRACE, asgi, get
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

import tellback
from tellback.adapters.asgi import Middleware

Named = Callable[[str], list[dict[str, Any]]]


def fast(**options: Any) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Middleware, **options)

    @app.get("/shots/{shot}")
    async def shot(shot: str) -> dict[str, str]:
        tellback.event("shot_opened", shot=shot)
        return {"shot": shot}

    @app.get("/sync/{shot}")
    def sync(shot: str) -> dict[str, str]:
        tellback.event("shot_opened", shot=shot)
        return {"shot": shot}

    @app.get("/fail")
    async def fail() -> None:
        raise ValueError("no sq10")

    @app.get("/slow")
    async def slow() -> StreamingResponse:
        async def parts() -> Any:
            yield b"a"
            raise KeyError("in the middle")

        return StreamingResponse(parts())

    return app


@pytest.mark.parametrize("path", ["/shots/sq10", "/sync/sq10"])
def test_a_request_is_a_span_and_what_it_says_belongs_to_it(named: Named, path: str) -> None:
    with asgi(fast(user=lambda scope: dict(scope["headers"]).get(b"x-user", b"").decode() or None)) as url:
        reply = get(url + path + "?token=x", traceparent=f"00-{TRACE}-{SPAN}-01", X_User="guido", X_Request_ID="r-1")
    assert reply.status == 200
    (span,), (event,) = named("span"), named("event")
    assert span["name"] == f"GET {path.replace('sq10', '{shot}')}"
    assert (span["trace"], span["parent"], span["user"]) == (TRACE, SPAN, "guido")
    assert span["duration"] > 0
    assert span["attrs"] == {
        "http.request.method": "GET",
        "url.path": path,
        "url.scheme": "http",
        "http.route": path.replace("sq10", "{shot}"),
        "http.response.status_code": 200,
        "request_id": "r-1",
        "status": "ok",
    }
    assert (event["trace"], event["span"], event["user"]) == (TRACE, span["span"], "guido")
    assert event["attrs"]["request_id"] == "r-1"
    assert span["time"] <= event["time"]


def test_an_error_has_its_id_on_the_page(named: Named) -> None:
    with asgi(fast()) as url:
        plain, html = get(url + "/fail"), get(url + "/fail", Accept="text/html,*/*")
        json_ = get(url + "/fail", Accept="application/json")
    first, second, third = named("error")
    assert plain.status == html.status == json_.status == 500
    assert f"Its number: {first['attrs']['id']}\n" in plain.text
    assert plain.headers["tellback-error"] == first["attrs"]["id"]
    assert f"<code>{second['attrs']['id']}</code>" in html.text
    assert json_.json()["error"]["id"] == third["attrs"]["id"]
    assert (first["name"], first["message"]) == ("ValueError", "no sq10")
    assert first["attrs"]["http.route"] == "/fail"
    assert first["attrs"]["frames"][-1]["function"].endswith("fail")
    span = named("span")[0]
    assert (span["level"], span["message"]) == ("error", "ValueError: no sq10")
    assert (span["attrs"]["status"], span["attrs"]["error"]) == ("error", first["attrs"]["id"])
    assert (span["attrs"]["error.type"], span["attrs"]["http.response.status_code"]) == ("ValueError", 500)
    assert first["trace"] == span["trace"]


def test_an_answer_that_has_begun_is_left(named: Named) -> None:
    with asgi(fast()) as url, pytest.raises(Exception, match="IncompleteRead"):
        get(url + "/slow")
    (error,) = named("error")
    assert error["name"] == "KeyError"
    assert named("span")[0]["attrs"]["http.response.status_code"] == 200
    assert named("span")[0]["attrs"]["status"] == "error"


def test_the_hosts_own_page_wins_and_may_show_the_id(named: Named) -> None:
    app = fast()

    @app.exception_handler(Exception)
    async def own(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(f"ours {tellback.capture(error)}", 500)

    with asgi(app) as url:
        reply = get(url + "/fail")
    (error,) = named("error")
    assert reply.text == f"ours {error['attrs']['id']}"


def test_the_debug_page_wins(named: Named) -> None:
    app = fast()
    app.debug = True
    with asgi(app) as url:
        assert "Traceback" in get(url + "/fail").text
    assert len(named("error")) == 1


def test_mounts_and_what_no_route_meets(named: Named) -> None:
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    app = Starlette(routes=[Mount("/farm", routes=[Route("/jobs/{job}", hello)])])
    app.add_middleware(Middleware, ignore={"/healthz"})
    with asgi(app) as url:
        assert get(url + "/farm/jobs/7").status == 200
        assert get(url + "/nowhere").status == 404
        assert get(url + "/healthz").status == 404
    assert [(span["name"], span["attrs"]["url.path"]) for span in named("span")] == [
        ("GET /farm/jobs/{job}", "/farm/jobs/7"),
        ("GET", "/nowhere"),
    ]
    assert "level" not in named("span")[1]


def test_background_work_belongs_to_the_request_but_not_to_its_duration(named: Named) -> None:
    async def work() -> None:
        await asyncio.sleep(0.2)
        tellback.event("worked")

    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello", background=BackgroundTask(work))

    app = Starlette(routes=[Route("/", hello)])
    app.add_middleware(Middleware)
    with asgi(app) as url:
        get(url)
    (span,), (event,) = named("span"), named("event")
    assert event["span"] == span["span"]
    assert span["time"] + span["duration"] < event["time"]


def test_around_the_whole_application_it_records_and_leaves_the_page(named: Named) -> None:
    async def fail(request: Request) -> None:
        raise ValueError("x")

    with asgi(Middleware(Middleware(Starlette(routes=[Route("/", fail)])))) as url:
        reply = get(url)
    assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert len(named("error")) == len(named("span")) == 1


def test_a_websocket_is_a_span_and_nothing_of_it_stays_behind(named: Named) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        tellback.event("inside")
        await send({"type": "websocket.accept"})

    async def talk() -> None:
        async def nothing(*_: Any) -> Any:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "path": "/live", "scheme": "ws", "headers": [(b"traceparent", b"00-nonsense")]}
        await Middleware(app)(scope, nothing, nothing)
        tellback.event("after")

    asyncio.run(talk())
    (span,), (inside, after) = named("span"), named("event")
    assert (span["name"], span["attrs"]["url.path"]) == ("WEBSOCKET", "/live")
    assert inside["trace"] == span["trace"]
    assert "trace" not in after


def test_before_init_it_only_passes_on() -> None:
    tellback.close(0)
    with asgi(fast()) as url:
        assert get(url + "/shots/sq10").status == 200
        assert get(url + "/fail").text == "Internal Server Error"
