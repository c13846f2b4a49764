"""A page is a list of panels; each panel asks its own questions.

All panels of a page start at once. Those that have their answers within `Web.patience` are in the page as it is sent;
the others leave room of the right height and fetch themselves (docs/decisions/0041). So a page is there at once
whatever its slowest question takes, and nothing moves when that comes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tellback.server.web.contract import Grant, Refused, Web
from tellback.server.web.render import html, respond, theme
from tellback.server.web.view import View, view

log = logging.getLogger("tellback.server.web")


@dataclass(frozen=True)
class Panel:
    """One panel: `build` asks and gives the variables of the template `panels/<page>_<name>.html`."""

    name: str
    title: str
    build: Callable[[View], Awaitable[dict[str, Any]]]
    size: str
    """The height that is kept for it until it has come: one of .size-* in tellback.css."""
    wide: bool = False
    link: str = ""
    """Where the heading leads: a page of its own, the filters kept."""
    bare: bool = False
    """Without frame and heading."""


@dataclass(frozen=True)
class Page:
    """One page of the main navigation."""

    name: str
    title: str
    path: str
    panels: Sequence[Panel]
    own: tuple[str, ...] = ()
    """Parameters of the address that are this page's own."""
    template: str = "page.html"
    key: str = field(default="")
    """The letter after `g`."""


async def build(page: Page, panel: Panel, seen: View) -> Markup:
    """A panel's inside. What goes wrong is said in it, and the rest of the page stands."""
    try:
        values = await panel.build(seen)
    except Refused as refusal:
        return Markup(html("refused.html", {"refusal": refusal}))  # noqa: S704  # escaped by the template
    except Exception:
        log.exception("the panel %s of %s failed", panel.name, page.path)
        return Markup(html("failed.html", {"panel": panel}))  # noqa: S704  # escaped by the template
    template = f"panels/{page.name}_{panel.name}.html"
    return Markup(html(template, {**common(seen), "panel": panel, **values}))  # noqa: S704  # escaped by the template


def common(seen: View) -> dict[str, Any]:
    return {"view": seen, "filters": seen.filters, "now": seen.now, "zone": seen.zone, "complete": seen.complete}


async def show(web: Web, pages: Sequence[Page], page: Page, request: Request, grant: Grant) -> Response:
    """The whole page."""
    seen = view(web, request, grant, page.own)
    built = await within(web.patience, [build(page, panel, seen) for panel in page.panels])
    values = {
        **common(seen),
        **frame(request, pages, page),
        "panels": list(zip(page.panels, built, strict=True)),
    }
    return respond(request, html(page.template, values))


async def show_panel(web: Web, page: Page, request: Request, grant: Grant) -> Response:
    """One panel, for htmx."""
    name = request.path_params["panel"]
    panel = next((panel for panel in page.panels if panel.name == name), None)
    if panel is None:
        raise Refused("not_found", f"There is no panel “{name}” on this page.", status=404)
    seen = view(web, request, grant, page.own)
    return respond(request, await while_connected(request, build(page, panel, seen)))


def frame(request: Request, pages: Sequence[Page], page: Page | None) -> dict[str, Any]:
    """What the frame around a page needs."""
    return {
        "request": request,
        "pages": pages,
        "page": page,
        "theme": theme(request),
        "title": page.title if page else "",
    }


async def within(patience: float, jobs: Iterable[Coroutine[Any, Any, Markup]]) -> list[Markup | None]:
    """Each job's result, None for those that are not ready in time, whose questions are cancelled.

    It waits for one at least, however long: the page has to say how complete its answers are.
    """
    tasks = [asyncio.ensure_future(job) for job in jobs]
    if not tasks:
        return []
    try:
        _, late = await asyncio.wait(tasks, timeout=patience)
        if len(late) == len(tasks):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return [task.result() if task.done() else None for task in tasks]
    finally:
        for task in tasks:
            task.cancel()


async def while_connected(request: Request, job: Coroutine[Any, Any, Markup]) -> Markup:
    """Runs the job, and cancels it when the browser leaves: a heavy query runs for nobody."""
    task, gone = asyncio.ensure_future(job), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
