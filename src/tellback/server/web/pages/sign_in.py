"""The way in: by a sign-in link, or by pasting a token; and the way out."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tellback.server.web.contract import SESSION_COOKIE, Grant, Web
from tellback.server.web.guard import check_origin, form, granted, local, set_session
from tellback.server.web.render import SECURITY, html, respond, theme


class SignIn:
    """The endpoints that people reach without a session."""

    def __init__(self, web: Web) -> None:
        self.web = web

    def page(self, request: Request, problem: str = "", status: int = 200) -> Response:
        values = {
            "request": request,
            "theme": theme(request),
            "title": "Sign in",
            "pages": (),
            "problem": problem,
            "next": local(request.query_params.get("next", "/")),
        }
        return respond(request, html("sign_in.html", values), status)

    async def show(self, request: Request) -> Response:
        if await granted(self.web, request):
            return RedirectResponse(local(request.query_params.get("next", "/")), 303, SECURITY)
        return self.page(request)

    async def paste(self, request: Request) -> Response:
        check_origin(request)
        sent = await form(request)
        token = str(sent.get("token", "")).strip()
        cookie = await run_in_threadpool(self.web.access.sign_in, token) if token else None
        if cookie is None:
            return self.page(
                request,
                "That token does not open these pages: it is unknown, revoked, or one that only writes."
                if token
                else "Paste a token first.",
                403,
            )
        target = local(str(sent.get("next", "/")))
        return set_session(request, RedirectResponse(target, 303, SECURITY), cookie)

    async def redeem(self, request: Request) -> Response:
        """`/sign-in/{code}`. A link works once; following it again from the browser it signed in just leads in."""
        cookie = await run_in_threadpool(self.web.access.redeem, request.path_params["code"])
        if cookie is not None:
            return set_session(request, RedirectResponse("/", 303, SECURITY), cookie)
        if await granted(self.web, request):
            return RedirectResponse("/", 303, SECURITY)
        return self.page(request, "This link has been used or is too old.", 403)

    async def leave(self, request: Request, grant: Grant) -> Response:
        await run_in_threadpool(self.web.access.sign_out, request.cookies[SESSION_COOKIE])
        response = RedirectResponse("/sign-in", 303, SECURITY)
        response.delete_cookie(SESSION_COOKIE)
        return response
