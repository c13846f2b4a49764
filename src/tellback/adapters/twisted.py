"""Twisted (https://docs.twisted.org): its log, what failed in a Deferred, and the requests of twisted.web.

    tellback.adapters.twisted.observe()             # once; logs and failures
    tellback.adapters.twisted.instrument(site)      # a twisted.web.server.Site

A Deferred whose failure nobody handled is logged by Twisted when it is collected; that is where it becomes an error.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final

from twisted.logger import ILogObserver, Logger, LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.web.server import Request, Site
from zope.interface import implementer  # type: ignore[import-untyped]  # it has no types

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import errors, live
from tellback.client.events import emit
from tellback.client.mask import masked

_LEVELS: Final = {
    LogLevel.debug: "debug",
    LogLevel.info: "info",
    LogLevel.warn: "warn",
    LogLevel.error: "error",
    LogLevel.critical: "fatal",
}
_LEGACY: Final = frozenset({"message", "time", "system", "format", "isError", "failure", "why"})
"""What twisted.python.log adds to an event beside `log_*`."""


def observe() -> Callable[[], None]:
    """Record what Twisted's loggers tell from now on; gives a function that ends it."""
    globalLogPublisher.addObserver(_observer)
    return lambda: globalLogPublisher.removeObserver(_observer)


@implementer(ILogObserver)  # type: ignore[untyped-decorator]  # as above
def _observer(event: Any) -> None:
    with suppress(Exception):  # Never in the way; Twisted would take the observer away
        name = event.get("log_namespace")
        if live.spool is None or str(name).startswith("tellback"):
            return
        attrs = {key: value for key, value in event.items() if not key.startswith("log_") and key not in _LEGACY}
        template = event.get("log_format")
        if template:
            attrs["template"] = template
        time = int(event["log_time"] * 1e9)
        failure = event.get("log_failure")
        message = formatEvent(event)
        if isinstance(failure, Failure):
            told = {"logger": name, "mechanism": "twisted"}
            attrs["error"] = errors.record(failure.value, time=time, attrs=told)
            message = message or failure.getErrorMessage()
        own = {"time": time, "level": _LEVELS.get(event.get("log_level")), "message": masked(message)}
        emit("log", name, own, attrs, mask=True)


def instrument(site: Site, *, user: Callable[[Request], str | None] | None = None, error_page: bool = True) -> None:
    """Record the requests of a site, and show the id of an error where it would say `Processing Failed`.

    `user` gives who it is for a request (or None); asked at the end. What a resource does later follows its request in
    coroutines and `inlineCallbacks`; plain callbacks of a Deferred run outside of it, as Twisted has it. With
    `site.displayTracebacks` the traceback wins.
    """
    site.requestFactory = _factory(site.requestFactory, user, error_page)


def _factory(made: Any, user: Callable[[Request], str | None] | None, error_page: bool) -> Any:
    class Told(made):  # type: ignore[misc]  # of whatever class the site has
        def process(self) -> None:
            served = None if live.spool is None else quietly(_begin, self)
            if served is None:
                super().process()
                return
            setattr(self, KEY, served)
            self.notifyFinish().addBoth(self._finished, served)
            # In a context of its own: the reactor has one for all requests.
            copy_context().run(self._serve, served)

        def _serve(self, served: Served) -> None:
            served.open()
            super().process()

        def _finished(self, how: Any, served: Served) -> None:
            served.status = self.code
            if isinstance(how, Failure):  # the other side has gone
                served.raised = served.raised or GeneratorExit()
            if user is not None:
                with suppress(Exception):  # Never in the way
                    served.identified(user(self))
            served.close()

        def processingFailed(self, reason: Failure) -> Any:  # noqa: N802 -- Twisted's name
            served = getattr(self, KEY, None)
            id_ = served.failed(reason.value, "twisted") if served is not None else ""
            if not id_ or not error_page or self.site.displayTracebacks or self.startedWriting:
                return super().processingFailed(reason)
            Logger("twisted.web.server").failure("", failure=reason)
            content_type, body = page(_text(self.requestHeaders.getRawHeaders(b"accept", [b""])[0]) or "", id_)
            self.setResponseCode(500)
            self.setHeader(b"Content-Type", content_type.encode())
            self.setHeader(b"Content-Length", b"%d" % len(body))
            self.setHeader(HEADER.encode(), id_.encode())
            self.write(body)
            self.finish()
            return reason

    return Told


def _begin(request: Request) -> Served:
    headers = request.requestHeaders
    return Served(
        _text(request.method) or "",
        _text(request.path) or "",
        "https" if request.isSecure() else "http",  # type: ignore[no-untyped-call]  # it has no types
        traceparent=_text(headers.getRawHeaders(b"traceparent", [None])[0]),
        request_id=_text(headers.getRawHeaders(b"x-request-id", [None])[0]),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
