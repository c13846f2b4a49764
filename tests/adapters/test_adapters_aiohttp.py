"""aiohttp's server."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from adapter_servers import SPAN, TRACE, Reply
from aiohttp import ClientSession, web

import tellback
from tellback.adapters.aiohttp import middleware

Named = Callable[[str], list[dict[str, Any]]]


async def shot(request: web.Request) -> web.Response:
    tellback.event("shot_opened", shot=request.match_info["shot"])
    return web.Response(text=request.match_info["shot"])


async def fail(request: web.Request) -> web.Response:
    raise ValueError("no sq10")


async def gone(request: web.Request) -> web.Response:
    raise web.HTTPGone


async def begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"a")
    raise ValueError("in the middle")


def ask(*paths: str, headers: dict[str, str] | None = None, **options: Any) -> list[Reply]:
    """Serve an application and ask it for each path, all in one loop."""

    async def talk() -> list[Reply]:
        app = web.Application(middlewares=[middleware(**options)])
        app.router.add_get("/shots/{shot}", shot)
        for handler in (fail, gone, begun):
            app.router.add_get(f"/{handler.__name__}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        out = []
        try:
            async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", headers=headers) as session:
                for path in paths:
                    async with session.get(path) as reply:
                        text = await reply.text() if path != "/begun" else ""
                        out.append(
                            Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, text)
                        )
        finally:
            await runner.cleanup()
        return out

    return asyncio.run(talk())


def test_a_request_is_a_span(named: Named) -> None:
    ask(
        *("/shots/sq10", "/nowhere", "/gone"),
        headers={"traceparent": f"00-{TRACE}-{SPAN}-01", "X-User": "guido"},
        user=lambda request: request.headers["X-User"],
    )
    span, nowhere, gone = named("span")
    (event,) = named("event")
    assert (span["name"], span["user"], span["parent"]) == ("GET /shots/{shot}", "guido", SPAN)
    assert (event["user"], event["span"], event["attrs"]["http.route"]) == ("guido", span["span"], "/shots/{shot}")
    assert (nowhere["name"], nowhere["attrs"]["http.response.status_code"]) == ("GET", 404)
    assert (gone["name"], gone["attrs"]["http.response.status_code"]) == ("GET /gone", 410)


def test_an_error_has_its_id_on_the_page_and_is_logged_as_ever(named: Named, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "aiohttp.server"):
        (reply,) = ask("/fail", headers={"Accept": "text/html"})
    (error,) = named("error")
    assert reply.status == 500
    assert f"<code>{error['attrs']['id']}</code>" in reply.text
    assert reply.headers["tellback-error"] == error["attrs"]["id"]
    assert named("span")[0]["attrs"]["error"] == error["attrs"]["id"]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ValueError]


def test_an_answer_that_has_begun_is_left(named: Named) -> None:
    ask("/begun")
    assert [error["message"] for error in named("error")] == ["in the middle"]
    assert named("span")[0]["attrs"]["status"] == "error"


def test_without_a_page_aiohttp_answers(named: Named) -> None:
    (reply,) = ask("/fail", error_page=False)
    assert reply.status == 500
    assert "tellback-error" not in reply.headers
    assert len(named("error")) == 1


def test_before_init_it_only_passes_on() -> None:
    tellback.close(0)
    ok, failed = ask("/shots/sq10", "/fail")
    assert (ok.text, failed.status) == ("sq10", 500)
