"""A browser without a window: the pages over ASGI, without a socket."""

import anyio
import httpx
from made_up_firm import Firm
from starlette.applications import Starlette

from tellback.server.web import SESSION_COOKIE, Web, routes


class Browser:
    """A synchronous stand-in for a browser: keeps cookies, follows no redirect."""

    def __init__(self, web: Web) -> None:
        self.app = Starlette(routes=routes(web))
        self.cookies: dict[str, str] = {}

    def __call__(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://tellback", cookies=self.cookies
            ) as client:
                return await client.request(method, path, **more)  # type: ignore[arg-type]

        response = anyio.run(once)
        self.cookies.update(response.cookies)
        return response

    def post(self, path: str, **more: object) -> httpx.Response:
        return self(path, "POST", **more)


def signed_in(firm: Firm, scope: str = "admin", patience: float = 30.0) -> Browser:
    found = Browser(firm.web(patience))
    cookie = firm.access().sign_in(scope)
    assert cookie
    found.cookies[SESSION_COOKIE] = cookie
    return found
