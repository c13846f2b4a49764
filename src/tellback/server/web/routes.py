"""Addresses to pages."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tellback.server.web import assets, panels
from tellback.server.web.contract import Grant, Refused, Web
from tellback.server.web.guard import Handler, granted, signed_in
from tellback.server.web.pages import adoption, overview, records, settings, sign_in
from tellback.server.web.panels import Page, frame
from tellback.server.web.render import html, respond, theme
from tellback.server.web.values import values_of

PAGES: tuple[Page, ...] = (overview.PAGE, adoption.PAGE, records.PAGE, settings.PAGE)
GONE = 499  # nginx's number for a browser that has left; it only ever shows in a log

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(context: Web) -> list[Route]:
    """All routes of the pages, for `app.py`. They take no path that a wire or the API has."""
    web = context
    door, office = sign_in.SignIn(web), settings.Settings(web, PAGES)

    def page(page: Page) -> Route:
        async def handler(request: Request, grant: Grant) -> Response:
            return await panels.show(web, PAGES, page, request, grant)

        return route(page.path, handler)

    def part(page: Page) -> Route:
        async def handler(request: Request, grant: Grant) -> Response:
            return await panels.show_panel(web, page, request, grant)

        return route(f"/panels/{page.name}/{{panel}}", handler)

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, in_words(web, signed_in(web, handler)), methods=[method])

    def open_route(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, in_words(web, endpoint), methods=[method])

    asked = (overview.PAGE, adoption.PAGE, records.PAGE)
    return [
        Route("/static/{tag}/{name:path}", assets.serve),
        open_route("/sign-in", door.show),
        open_route("/sign-in", door.paste, "POST"),
        open_route("/sign-in/{code}", door.redeem),
        route("/sign-out", door.leave, "POST"),
        *map(page, asked),
        *map(part, asked),
        route("/values/{column}", partial(values_of, web)),
        route("/records/{segment}/{offset:int}", partial(records.one, web, PAGES)),
        route("/settings", office.tokens),
        route("/settings/tokens", office.new_token, "POST"),
        route("/settings/tokens/{token}/revoke", office.revoke, "POST"),
        route("/settings/health", office.health),
        route("/settings/people", office.people),
        route("/settings/people", office.import_people, "POST"),
    ]


def in_words(web: Web, endpoint: Endpoint) -> Endpoint:
    """An endpoint whose refusals are shown as a page, or as a part where htmx asked for one."""

    async def told(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=GONE)
        except Refused as refusal:
            if request.headers.get("hx-request") and not request.headers.get("hx-boosted"):
                return respond(request, html("refused.html", {"refusal": refusal}), refusal.status)
            inside = await granted(web, request) is not None
            values = {**frame(request, PAGES if inside else (), None), "title": "Refused", "refusal": refusal}
            return respond(request, html("refused_page.html", {**values, "theme": theme(request)}), refusal.status)

    return told
