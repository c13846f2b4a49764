"""Django (https://docs.djangoproject.com), under WSGI and ASGI.

    MIDDLEWARE = ["tellback.adapters.django.Middleware", ...]      # first, so that it sees all the others
    TELLBACK = {"user": "shop.people.who", "ignore": ["/healthz"], "error_page": True}     # all may be absent

`user` is a function, or its dotted name, from a request to who it is; it is asked when the view is about to run and
again at the end. There is no default: to ask `request.user` is a query to the database, which the host decides on.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings  # type: ignore[import-untyped]  # Django has no types
from django.core.signals import got_request_exception  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.template import TemplateDoesNotExist, loader  # type: ignore[import-untyped]
from django.urls import get_resolver, get_urlconf  # type: ignore[import-untyped]
from django.utils.module_loading import import_string  # type: ignore[import-untyped]
from django.views import defaults  # type: ignore[import-untyped]

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import live

_KEPT: Final = "_tellback_request"


class Middleware:
    """For `MIDDLEWARE`. The error's id is in `request.tellback_error`, and on the page if the host has none for 500."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        chosen: dict[str, Any] = getattr(settings, "TELLBACK", None) or {}
        user = chosen.get("user")
        self.user = import_string(user) if isinstance(user, str) else user
        self.ignore = frozenset(chosen.get("ignore", ()))
        self.error_page = chosen.get("error_page", True) and not settings.DEBUG
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
        # Sent for what ends in a 500 and for nothing else, from a view or from another middleware.
        got_request_exception.connect(_failed, dispatch_uid="tellback")

    def __call__(self, request: Any) -> Any:
        if iscoroutinefunction(self):
            return self._later(request)
        served = quietly(self._begin, request)
        if served is None:
            return self.get_response(request)
        try:
            return self._answered(request, served, self.get_response(request))
        finally:
            self._end(request, served)

    async def _later(self, request: Any) -> Any:
        served = quietly(self._begin, request)
        if served is None:
            return await self.get_response(request)
        try:
            return self._answered(request, served, await self.get_response(request))
        except BaseException as error:  # cancelled: the browser has gone
            served.failed(error, "django")
            raise
        finally:
            self._end(request, served)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        """Called by Django when it knows the view and before it calls it."""
        served = getattr(request, _KEPT, None)
        if served is not None:
            with suppress(Exception):  # Never in the way
                served.routed("/" + request.resolver_match.route)
            self._identify(request, served)

    def _begin(self, request: Any) -> Served | None:
        if live.spool is None or request.path in self.ignore:
            return None
        around = getattr(request, "scope", request.META)  # of ASGI, or the environ of WSGI
        served = around.get(KEY)
        if isinstance(served, Served):
            setattr(request, _KEPT, served)
            return served  # of an adapter around Django, which will close it
        headers = request.META
        made = Served(
            request.method or "",
            request.path,
            request.scheme,
            traceparent=headers.get("HTTP_TRACEPARENT"),
            request_id=headers.get("HTTP_X_REQUEST_ID"),
            user=headers.get("REMOTE_USER") or None,
        )
        setattr(request, _KEPT, made)
        return made.open()

    def _answered(self, request: Any, served: Served, response: Any) -> Any:
        served.status = response.status_code
        if served.error:
            if self.error_page and response.status_code == 500 and _has_no_page():
                content_type, body = page(request.headers.get("Accept", ""), served.error)
                response = HttpResponse(body, status=500, content_type=content_type)
            response[HEADER] = served.error
        return response

    def _end(self, request: Any, served: Served) -> None:
        self._identify(request, served)
        if getattr(request, "scope", request.META).get(KEY) is not served:
            served.close()

    def _identify(self, request: Any, served: Served) -> None:
        if self.user is not None and served.user is None:
            with suppress(Exception):  # asked too early: nobody has signed in yet
                served.identified(self.user(request))


def _failed(sender: Any, request: Any = None, **_: Any) -> None:
    served = getattr(request, _KEPT, None)
    error = sys.exc_info()[1]
    if served is not None and error is not None:
        request.tellback_error = served.failed(error, "django")


def _has_no_page() -> bool:
    """Whether the host would show what Django shows by default."""
    if get_resolver(get_urlconf()).resolve_error_handler(500) is not defaults.server_error:
        return False
    try:
        loader.get_template(defaults.ERROR_500_TEMPLATE_NAME)
    except TemplateDoesNotExist:
        return True
    return False
