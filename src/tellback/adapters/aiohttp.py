"""aiohttp's server (https://docs.aiohttp.org/en/stable/web.html).

app = web.Application(middlewares=[tellback.adapters.aiohttp.middleware()])
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

from aiohttp import web

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import live

# Since aiohttp 3.14 a key that is a mere text makes a warning.
_KEY: Any = web.RequestKey(KEY, Served) if hasattr(web, "RequestKey") else KEY


def middleware(
    *,
    user: Callable[[web.Request], str | None] | None = None,
    ignore: Collection[str] = (),
    error_page: bool = True,
) -> Any:
    """Make the middleware; it stands first, so that it sees the others.

    `user` gives who it is for a request (or None), and is asked again at the end if it did not know at first; `ignore`
    holds paths that make no span. `error_page` answers what a handler raised, unless it had begun to answer or the loop
    is in debug mode; it is logged as aiohttp does. Without it the error is raised further.
    """
    ignored = frozenset(ignore)

    def who(request: web.Request) -> str | None:
        if user is not None:
            with suppress(Exception):  # asked too early: nobody has signed in yet
                found = user(request)
                return found if type(found) is str else None
        return None

    @web.middleware
    async def told(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if live.spool is None or request.path in ignored or _KEY in request:
            return await handler(request)
        served = quietly(_begin, request, who(request))
        if served is None:
            return await handler(request)
        try:
            response = await handler(request)
            served.status = response.status
            return response
        except web.HTTPException as answer:
            served.status = answer.status
            raise
        except TimeoutError as error:  # aiohttp answers it with a 504
            served.failed(error, "aiohttp")
            served.status = 504
            raise
        except Exception as error:
            id_ = served.failed(error, "aiohttp")
            served.status = 500
            begun = request.writer.output_size > 0
            if not id_ or not error_page or begun or asyncio.get_running_loop().get_debug():
                raise
            request.protocol.log_exception("Error handling request from %s", request.remote, exc_info=error)
            content_type, body = page(request.headers.get("Accept", ""), id_)
            return web.Response(body=body, status=500, headers={HEADER: id_, "Content-Type": content_type})
        except BaseException as error:  # cancelled: the other side has gone
            served.failed(error, "aiohttp")
            raise
        finally:
            if served.user is None:
                served.identified(who(request))
            served.close()

    return told


def _begin(request: web.Request, user: str | None) -> Served:
    headers = request.headers
    served = request[_KEY] = Served(
        request.method,
        request.path,
        request.scheme,
        traceparent=headers.get("traceparent"),
        request_id=headers.get("X-Request-ID"),
        user=user,
    )
    served.open()
    resource = request.match_info.route.resource
    if resource is not None:
        served.routed(resource.canonical)
    return served
