"""A request while it is served: what it binds, its error, and the span that it becomes.

Names and attributes are those of OpenTelemetry's HTTP server spans
(https://opentelemetry.io/docs/specs/semconv/http/http-spans/). Addresses of people, their browsers and query strings
are left out: they tell who somebody is, or hold secrets, and no question asks for them.
"""

from collections.abc import Callable
from contextlib import suppress
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tellback.client import errors, ids, live
from tellback.client.clean import text, type_name
from tellback.client.context import Context, current
from tellback.client.encode import encode
from tellback.client.events import emit
from tellback.client.propagation import parse
from tellback.record import MAX_LINE

if TYPE_CHECKING:
    from contextvars import Token

KEY: Final = "tellback.request"
"""Where an adapter keeps the request in what its framework passes along (ASGI scope, WSGI environ ...), so that one
adapter inside of another completes the same span and does not make a second."""

_METHODS: Final = frozenset(
    ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY", "WEBSOCKET")
)
_LONGEST: Final = 1_024  # characters of a path, a route or a request's id
_SENT: Final = 200  # characters of an id that a stranger sends


T = TypeVar("T")


def quietly(begin: Callable[..., T], *args: Any) -> T | None:
    """What `begin` gives, or None if it fails: then the request is served without being recorded. Never in the way."""
    try:
        return begin(*args)
    except Exception:
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")
        return None


class Served:
    """One request. `open` it where it begins, `close` it when it is answered; neither raises.

    `route` is the pattern that its path met (`/shots/{shot}`), set by the adapter once it is known. `error` is the id
    of what went wrong, empty if nothing did.
    """

    __slots__ = (
        "_above",
        "_begin",
        "_done",
        "_duration",
        "_token",
        "error",
        "method",
        "parent",
        "path",
        "raised",
        "request_id",
        "route",
        "scheme",
        "span",
        "status",
        "time",
        "trace",
        "traceparent",
        "user",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        path: str,
        scheme: str,
        *,
        traceparent: str | None = None,
        request_id: str | None = None,
        user: str | None = None,
    ) -> None:
        self.method = method if method in _METHODS else "_OTHER"
        self.path = path if len(path) <= _LONGEST else text(path, _LONGEST)[0]
        self.scheme = scheme
        self.traceparent = traceparent
        self.request_id = request_id[:_SENT] if request_id and request_id.isprintable() else None
        self.user = user
        self.route: str | None = None
        self.status = 0
        self.error = ""
        self.raised: BaseException | None = None
        self._duration = 0
        self._done = False
        self._token: Token[Context] | None = None

    def open(self) -> "Served":
        """Begin: what is recorded from here on belongs to this request."""
        self.time = time_ns()
        self._begin = perf_counter_ns()
        self._above = above = current.get(live.base)
        self.span = ids.span_id()
        self.trace = above.fields.get("trace") or ids.trace_id()
        self.parent = above.fields.get("span")
        told = parse(self.traceparent) if self.traceparent else None
        if told is not None:
            self.trace, self.parent = told
        fields = {**above.fields, "trace": self.trace, "span": self.span}
        if self.user is not None:
            with suppress(Exception):
                self.user = fields["user"] = text(self.user, _LONGEST)[0]
        attrs = {**above.attrs, "request_id": self.request_id} if self.request_id else above.attrs
        self._token = current.set(Context(fields, attrs))
        return self

    def routed(self, route: Any) -> None:
        """Its route is known: records from here on carry it. For frameworks that tell it before they run a view."""
        if type(route) is not str or not route or self._done:
            return
        self.route = text(route, _LONGEST)[0]
        context = current.get(live.base)
        if context.fields.get("span") == self.span:
            current.set(Context(context.fields, {**context.attrs, "http.route": self.route}))

    def identified(self, user: Any) -> None:
        """Who it is is known: records from here on carry it."""
        if type(user) is not str or not user or user == self.user or self._done:
            return
        self.user = text(user, _LONGEST)[0]
        context = current.get(live.base)
        if context.fields.get("span") == self.span:
            current.set(Context({**context.fields, "user": self.user}, context.attrs))

    def failed(self, error: BaseException, mechanism: str) -> str:
        """Record what went wrong; gives its id."""
        self.raised = error
        if isinstance(error, Exception):
            attrs = {"handled": False, "mechanism": mechanism, **self._attrs()}
            self.error = errors.record(error, attrs=attrs) or self.error
        return self.error

    def answered(self) -> None:
        """The last byte has been handed over; what comes now (background tasks) does not count into the duration."""
        if not self._duration:
            self._duration = perf_counter_ns() - self._begin

    def close(self) -> None:
        """Record the span and let go of the context. A second time does nothing."""
        if self._done:
            return
        self._done = True
        try:
            self.answered()
            self._record()
        except Exception:
            spool = live.spool
            if spool is not None:
                spool.lost.add("error")
        if self._token is not None:
            with suppress(ValueError):  # closed in another context than opened, as some servers do
                current.reset(self._token)

    def _attrs(self) -> dict[str, Any]:
        attrs: dict[str, Any] = {"http.request.method": self.method, "url.path": self.path, "url.scheme": self.scheme}
        if self.route is not None:
            attrs["http.route"] = self.route
        return attrs

    def _record(self) -> None:
        attrs = {**self._above.attrs, **self._attrs()}
        own: dict[str, Any] = {**self._above.fields, "trace": self.trace, "span": self.span, "duration": self._duration}
        if self.parent is not None:
            own["parent"] = self.parent
        if self.user is not None:
            own["user"] = self.user
        if self.request_id is not None:
            attrs["request_id"] = self.request_id
        if self.status:
            attrs["http.response.status_code"] = self.status
        attrs["status"] = "ok"
        raised = self.raised
        if raised is not None and not isinstance(raised, Exception):
            attrs["status"] = "stopped"  # the other side went away, or the server ends
        elif raised is not None or self.status >= 500:
            own["level"] = "error"
            attrs["status"] = "error"
            attrs["error.type"] = str(self.status) if raised is None else type_name(type(raised))
            if self.error:
                attrs["error"] = self.error
            if raised is not None:
                own["message"] = f"{type_name(type(raised))}: {errors.message_of(raised)}"
        name = self.method if self.route is None else f"{self.method} {self.route}"
        spool = live.spool
        if spool is None:
            live.muted()
            return
        try:
            # All of it was made here, of exact types: it needs no cleaner but where a text is no valid Unicode.
            line = encode({"time": self.time, "kind": "span", "name": name, **own, "attrs": attrs}) + b"\n"
        except UnicodeEncodeError:
            line = b""
        if 0 < len(line) <= MAX_LINE:
            spool.append(line)
        else:
            emit("span", name, {**own, "time": self.time}, attrs)
