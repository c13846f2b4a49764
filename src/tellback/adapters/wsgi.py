"""WSGI: any application of PEP 3333 (https://peps.python.org/pep-3333/).

application = tellback.adapters.wsgi.Middleware(application)
"""

import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tellback.adapters._http import KEY, Served, quietly
from tellback.adapters._page import HEADER, page
from tellback.client import live

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Middleware:
    """Around a WSGI application.

    `user` gives who it is for an environ (or None); by default it is REMOTE_USER. `ignore` holds paths that make no
    span. `error_page` answers what the application raised before it began to answer, and writes the traceback to
    `wsgi.errors`, since WSGI cannot do both, answer and raise; without it the error is raised further.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        user: "Callable[[WSGIEnvironment], str | None] | None" = None,
        ignore: Collection[str] = (),
        error_page: bool = True,
    ) -> None:
        self.app = app
        self.user = user
        self.ignore = frozenset(ignore)
        self.error_page = error_page

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = _path(environ)
        if live.spool is None or path in self.ignore or KEY in environ:
            return self.app(environ, start_response)
        served = quietly(self._begin, environ, path)
        if served is None:
            return self.app(environ, start_response)
        started = False

        def told(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal started
            write = start_response(status, headers, *exc_info)
            started = True
            with suppress(ValueError):
                served.status = int(status[:3])
            return write

        try:
            body = self.app(environ, told)
        except BaseException as error:
            served.failed(error, "wsgi")
            try:
                if started or not served.error or not self.error_page:
                    raise
                return _answer(environ, told, served.error)
            finally:
                self._end(served, environ)
        # Whole already, or a file that the server itself recognizes and sends: handed on as it is.
        wrapper = environ.get("wsgi.file_wrapper")
        if type(body) in (list, tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            self._end(served, environ)
            return body
        return _Body(body, served, lambda: self._end(served, environ))

    def _begin(self, environ: "WSGIEnvironment", path: str) -> Served:
        served = Served(
            environ["REQUEST_METHOD"],
            path,
            environ.get("wsgi.url_scheme", "http"),
            traceparent=environ.get("HTTP_TRACEPARENT"),
            request_id=environ.get("HTTP_X_REQUEST_ID"),
            user=self._user(environ),
        )
        environ[KEY] = served
        return served.open()

    def _end(self, served: Served, environ: "WSGIEnvironment") -> None:
        if served.user is None:
            served.user = self._user(environ)
        served.close()

    def _user(self, environ: "WSGIEnvironment") -> str | None:
        if self.user is None:
            return environ.get("REMOTE_USER") or None
        with suppress(Exception):  # asked too early: nobody has signed in yet
            found = self.user(environ)
            return found if type(found) is str else None
        return None


class _Body:
    """What the application gives bit by bit: the request lasts until the server closes it."""

    __slots__ = ("_body", "_end", "_served")

    def __init__(self, body: Iterable[bytes], served: Served, end: Callable[[], None]) -> None:
        self._body = body
        self._served = served
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except Exception as error:
            self._served.failed(error, "wsgi")
            raise

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._end()


def _path(environ: "WSGIEnvironment") -> str:
    # PEP 3333: bytes in the clothes of Latin-1.
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")


def _answer(environ: "WSGIEnvironment", start_response: Any, error: str) -> list[bytes]:
    with suppress(Exception):
        traceback.print_exc(file=environ["wsgi.errors"])
    content_type, body = page(environ.get("HTTP_ACCEPT", ""), error)
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), (HEADER, error)]
    start_response("500 Internal Server Error", headers, sys.exc_info())
    return [body]
