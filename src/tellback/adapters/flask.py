"""Flask (https://flask.palletsprojects.com).

    tellback.adapters.flask.instrument(app)

Records are bound to their request from Flask's signal `request_started` on: the route is known by then, and who it is.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from flask import Flask, Response, request
from flask.signals import got_request_exception, request_started
from werkzeug.exceptions import InternalServerError

from tellback.adapters import wsgi
from tellback.adapters._http import KEY, Served
from tellback.adapters._page import HEADER, page


def instrument(
    app: Flask,
    *,
    user: Callable[[], str | None] | None = None,
    ignore: Collection[str] = (),
    error_page: bool = True,
) -> None:
    """Record the requests and errors of an application. Call it after the application's own error handlers are set.

    `user` gives who it is, and is asked inside of the request (`lambda: current_user.get_id()`); `ignore` holds paths
    that make no span. `error_page` shows the error's id where the application has no handler for 500 of its own; in
    debug mode the debugger wins.
    """

    def started(sender: Flask, **_: Any) -> None:
        served = request.environ.get(KEY)
        if not isinstance(served, Served):
            return
        if request.url_rule is not None:
            served.routed(request.url_rule.rule)
        if user is not None:
            with suppress(Exception):  # Never in the way
                served.identified(user())

    def failed(sender: Flask, exception: BaseException, **_: Any) -> None:
        served = request.environ.get(KEY)
        if isinstance(served, Served):
            served.failed(exception, "flask")

    # Held by the application, for as long as it lives: the signals themselves hold nobody.
    app.extensions["tellback"] = (started, failed)
    request_started.connect(started, app)
    got_request_exception.connect(failed, app)
    app.wsgi_app = wsgi.Middleware(app.wsgi_app, ignore=ignore, error_page=False)  # type: ignore[method-assign]  # as Flask's documentation says to
    if error_page and not any(app.error_handler_spec[None].get(code) for code in (500, None)):
        app.register_error_handler(InternalServerError, _answer)


def _answer(error: InternalServerError) -> Any:
    served = request.environ.get(KEY)
    if not isinstance(served, Served) or not served.error:
        return error
    content_type, body = page(request.headers.get("Accept", ""), served.error)
    return Response(body, 500, {HEADER: served.error}, content_type=content_type)
