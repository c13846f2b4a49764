"""ASGI (FastAPI, Starlette, Litestar, Quart ...): requests and websockets.

    app.add_middleware(tellback.adapters.asgi.Middleware)      # FastAPI, Starlette
    app = tellback.adapters.asgi.Middleware(app)               # any other

Specification: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import live

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_WANTED: Final = frozenset((b"traceparent", b"x-request-id"))


class Middleware:
    """Around an ASGI application.

    `user` gives who it is for a scope (or None), and is asked again at the end if it did not know at first. `ignore`
    holds paths that make no span, such as a load balancer's question. `error_page` answers what the application
    raised, unless it has begun to answer, is in debug mode or has a handler for it; it is raised further in any case.
    """

    def __init__(
        self,
        app: App,
        *,
        user: Callable[[Scope], str | None] | None = None,
        ignore: Collection[str] = (),
        error_page: bool = True,
    ) -> None:
        self.app = app
        self.user = user
        self.ignore = frozenset(ignore)
        self.error_page = error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if (
            live.spool is None
            or (kind != "http" and kind != "websocket")
            or scope.get("path") in self.ignore
            or KEY in scope
        ):
            await self.app(scope, receive, send)
            return
        served = quietly(self._begin, scope)
        if served is None:
            await self.app(scope, receive, send)
            return
        started = False

        async def told(message: Message) -> None:
            nonlocal started
            await send(message)
            said = message["type"]
            if said == "http.response.start":
                started = True
                served.status = message["status"]
            elif said == "http.response.body" and not message.get("more_body"):
                served.answered()

        try:
            await self.app(scope, receive, told)
        except BaseException as error:
            served.route = _route(scope)
            served.failed(error, "asgi")
            if not started and kind == "http" and served.error and self.error_page and not _has_its_own(scope):
                await _answer(scope, told, served.error)
            raise
        finally:
            if served.route is None:
                served.route = _route(scope)
            if served.user is None:
                served.user = self._user(scope)
            served.close()

    def _begin(self, scope: Scope) -> Served:
        headers = {name: value for name, value in scope["headers"] if name in _WANTED}
        served = Served(
            scope["method"] if scope["type"] == "http" else "WEBSOCKET",
            scope["path"],
            scope.get("scheme", "http"),
            traceparent=_text(headers, b"traceparent"),
            request_id=_text(headers, b"x-request-id"),
            user=self._user(scope),
        )
        scope[KEY] = served
        return served.open()

    def _user(self, scope: Scope) -> str | None:
        if self.user is not None:
            with suppress(Exception):  # asked too early: nobody has signed in yet
                found = self.user(scope)
                return found if type(found) is str else None
        return None


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _route(scope: Scope) -> str | None:
    """As Starlette and what is built on it tell it: the route's own pattern, behind those of its mounts."""
    path = getattr(scope.get("route"), "path", None)
    if type(path) is not str:
        return None
    # `root_path` grew by what a mount took away; what the server itself was mounted at is no part of the route.
    mounted = scope.get("root_path", "")[len(scope.get("app_root_path", "")) :]
    return f"{mounted}{path}"


def _has_its_own(scope: Scope) -> bool:
    """Whether the application answers errors itself. Starlette does so outside of its middleware."""
    app = scope.get("app")
    handlers = getattr(app, "exception_handlers", None) or {}
    return bool(getattr(app, "debug", False)) or 500 in handlers or Exception in handlers


async def _answer(scope: Scope, send: Send, error: str) -> None:
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
    content_type, body = page(accept, error)
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (HEADER.lower().encode(), error.encode()),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
