"""The pages in front of the made-up firm, driven over ASGI without a socket."""

import sys
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette

sys.path.insert(0, str(Path(__file__).parent))

from firm import Firm

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


@pytest.fixture(scope="session")
def firm_of_the_session() -> Firm:
    return Firm()


@pytest.fixture
def firm(firm_of_the_session: Firm) -> Firm:
    """A firm of one's own; its records are made once, since no test changes them."""
    mine = Firm(empty=True, now=firm_of_the_session.now)
    mine.empty, mine.people, mine.records = False, firm_of_the_session.people, firm_of_the_session.records
    return mine


@pytest.fixture
def outside(firm: Firm) -> Browser:
    """A browser that is not signed in."""
    return Browser(firm.web())


@pytest.fixture
def browser(firm: Firm) -> Browser:
    """A browser that is signed in as admin."""
    return signed_in(firm, "admin")


def signed_in(firm: Firm, scope: str = "admin", patience: float = 30.0) -> Browser:
    found = Browser(firm.web(patience))
    cookie = firm.access().sign_in(scope)
    assert cookie
    found.cookies[SESSION_COOKIE] = cookie
    return found
