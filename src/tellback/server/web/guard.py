"""Who may come in: the session's cookie, and orders only from our own pages."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tellback.server.web.contract import SESSION_COOKIE, Grant, Refused, Web
from tellback.server.web.render import SECURITY
from tellback.server.web.words import number

SAFE = ("GET", "HEAD")


async def granted(web: Web, request: Request) -> Grant | None:
    """The grant of this browser's session, if it may see pages."""
    cookie = request.cookies.get(SESSION_COOKIE)
    grant = await run_in_threadpool(web.access.session, cookie) if cookie else None
    return grant if grant is not None and grant.scopes & {"read", "admin"} else None


def check_origin(request: Request) -> None:
    """Raises `Refused` when an order comes from another site's page.

    The cookie is SameSite=Lax already; this holds for old browsers too, and for another port of the same host, which
    SameSite takes for the same site. A browser always sends Origin with a POST; a program without one brings no cookie
    of somebody else.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(
            "foreign_origin", "This order came from a page of another site, so it was not carried out.", None, 403
        )


async def form(request: Request, most: int = 64 << 10) -> FormData:
    """The form that was sent, at most `most` bytes of it. Raises `Refused` for more, or for an unknown length."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise Refused("length_required", "A form has to say its length (Content-Length).", None, 411)
    if int(length) > most:
        raise Refused("too_large", f"The form is larger than {number(most >> 10)} KiB.", None, 413)
    return await request.form(max_files=1, max_fields=8, max_part_size=most)


def need_admin(grant: Grant) -> None:
    if "admin" not in grant.scopes:
        raise Refused(
            "denied", "You signed in with a read token. Sign in with an admin token to change settings.", None, 403
        )


def to_sign_in(request: Request) -> Response:
    """To the sign-in page, and back here afterwards."""
    if request.headers.get("hx-request"):
        # A part cannot show the sign-in page: the whole window goes there.
        return Response(status_code=204, headers={**SECURITY, "HX-Redirect": "/sign-in"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/sign-in" if here == "/" or request.method not in SAFE else f"/sign-in?next={quote(here, safe='')}"
    return RedirectResponse(target, 303, SECURITY)


def local(target: str) -> str:
    """A path of this site, or the start page: `next` is not a way to send people elsewhere."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def set_session(request: Request, response: Response, cookie: str) -> Response:
    response.set_cookie(
        SESSION_COOKIE, cookie, max_age=30 * 86400, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return response


Handler = Callable[[Request, Grant], Awaitable[Response]]


def signed_in(web: Web, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that only people who are signed in reach; orders only from our own pages."""

    async def endpoint(request: Request) -> Response:
        grant = await granted(web, request)
        if grant is None:
            return to_sign_in(request)
        if request.method not in SAFE:
            check_origin(request)
        return await handler(request, grant)

    return endpoint
