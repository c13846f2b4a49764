"""Pyramid (https://docs.pylonsproject.org/projects/pyramid).

    config.include("tellback.adapters.pyramid")

Settings, all of which may be absent:

    tellback.user = shop.people.who      a function, or its dotted name, from a request to who it is; asked at the end
    tellback.ignore = /healthz           paths that make no span, by spaces
    tellback.error_page = false          no error view; for `development.ini`, where a debugger is to see the error
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pyramid.events import ContextFound  # type: ignore[import-untyped]  # Pyramid has no types
from pyramid.response import Response  # type: ignore[import-untyped]
from pyramid.settings import asbool, aslist  # type: ignore[import-untyped]
from pyramid.tweens import EXCVIEW  # type: ignore[import-untyped]

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import errors, live


def includeme(config: Any) -> None:
    """For `config.include`."""
    settings = config.get_settings()
    config.registry["tellback.user"] = config.maybe_dotted(settings.get("tellback.user"))
    config.add_tween(f"{__name__}.tween", over=EXCVIEW)
    config.add_subscriber(_routed, ContextFound)
    if asbool(settings.get("tellback.error_page", True)):
        # A view of the application's own for Exception takes its place: includes give way.
        config.add_exception_view(error_view, context=Exception)


def tween(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """A tween factory that records requests, and the errors that became a 500 or that no view took."""
    ignore = frozenset(aslist(registry.settings.get("tellback.ignore", "")))
    user = registry.get("tellback.user")

    def told(request: Any) -> Any:
        environ = request.environ
        if live.spool is None or request.path in ignore:
            return handler(request)
        around = environ.get(KEY)  # of an adapter around Pyramid, which will close it
        served = around if isinstance(around, Served) else quietly(_begin, request)
        if served is None:
            return handler(request)
        try:
            response = handler(request)
            served.status = response.status_code
            # What a view made a 404 of is no error.
            if request.exception is not None and response.status_code >= 500:
                served.failed(request.exception, "pyramid")
            return response
        except BaseException as error:
            served.failed(error, "pyramid")
            raise
        finally:
            if user is not None and served.user is None:
                with suppress(Exception):  # Never in the way
                    served.identified(user(request))
            if served is not around:
                served.close()

    return told


def _begin(request: Any) -> Served:
    environ = request.environ
    served = environ[KEY] = Served(
        request.method,
        request.path,
        environ.get("wsgi.url_scheme", "http"),
        traceparent=environ.get("HTTP_TRACEPARENT"),
        request_id=environ.get("HTTP_X_REQUEST_ID"),
        user=environ.get("REMOTE_USER") or None,
    )
    return served.open()


def error_view(error: Exception, request: Any) -> Any:
    """An exception view: the page with the error's id. Also for an application's own `add_exception_view`."""
    served = request.environ.get(KEY)
    if isinstance(served, Served):
        id_ = served.failed(error, "pyramid")
    else:
        id_ = errors.record(error, attrs={"mechanism": "pyramid"})
    if not id_:
        raise error
    content_type, body = page(request.headers.get("Accept", ""), id_)
    made = Response(body, status=500, content_type=content_type.partition(";")[0], charset="utf-8")
    made.headers[HEADER] = id_
    return made


def _routed(event: Any) -> None:
    served, route = event.request.environ.get(KEY), event.request.matched_route
    if isinstance(served, Served) and route is not None:
        served.routed(route.pattern if route.pattern.startswith("/") else f"/{route.pattern}")
