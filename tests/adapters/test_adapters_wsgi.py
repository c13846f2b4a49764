"""WSGI, behind the standard library's server."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from adapter_servers import SPAN, TRACE, get, wsgi

import tellback
from tellback.adapters.wsgi import Middleware

Named = Callable[[str], list[dict[str, Any]]]


def application(environ: Any, start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ValueError("no sq10")
    start_response("404 Not Found" if path == "/nowhere" else "200 OK", [("Content-Type", "text/plain")])
    tellback.event("opened")
    if path == "/late":
        raise ValueError("too late")
    if path.startswith("/parts"):
        return parts(path)
    return [b"hello"]


def parts(path: str) -> Iterator[bytes]:
    yield b"a"
    tellback.event("said more")
    if path == "/parts/fail":
        raise KeyError("in the middle")
    yield b"b"


@pytest.fixture
def url() -> Iterator[str]:
    # The validator of the standard library on both sides: the middleware is a good application and a good server.
    with wsgi(validator(Middleware(validator(application), ignore=["/healthz"]))) as address:  # type: ignore[arg-type]
        yield address


def test_a_request_is_a_span(named: Named, url: str) -> None:
    assert get(url + "/naïve".encode().decode("latin-1").replace("Ã¯", "%C3%AF")).text == "hello"
    get(url + "/x?q=1", traceparent=f"00-{TRACE}-{SPAN}-01", X_Request_ID="r-1")
    get(url + "/nowhere")
    first, second, third = named("span")
    assert first["attrs"]["url.path"] == "/naïve"
    assert (second["trace"], second["parent"], second["attrs"]["request_id"]) == (TRACE, SPAN, "r-1")
    assert second["attrs"]["url.path"] == "/x"
    assert third["attrs"]["http.response.status_code"] == 404
    assert third["attrs"]["status"] == "ok"
    assert [event["span"] for event in named("event")] == [first["span"], second["span"], third["span"]]
    assert first["trace"] != third["trace"]


def test_an_error_has_its_id_on_the_page(named: Named, url: str) -> None:
    reply = get(url + "/fail", Accept="text/html")
    (error,) = named("error")
    assert reply.status == 500
    assert reply.headers["tellback-error"] == error["attrs"]["id"]
    assert error["attrs"]["id"] in reply.text
    assert error["attrs"]["mechanism"] == "wsgi"
    assert [frame["in_app"] for frame in error["attrs"]["frames"] if "adapters/wsgi" in frame["file"]] == [False]
    assert named("span")[0]["attrs"]["error"] == error["attrs"]["id"]


def test_what_comes_bit_by_bit_belongs_to_the_request(named: Named, url: str) -> None:
    assert get(url + "/parts").text == "ab"
    (span,) = named("span")
    assert [event["span"] for event in named("event")] == [span["span"]] * 2
    get(url + "/parts/fail")
    assert named("error")[0]["name"] == "KeyError"
    assert named("span")[1]["attrs"]["status"] == "error"


def run(app: Any, **more: Any) -> tuple[list[Any], Any, StringIO]:
    said: list[Any] = []
    errors = StringIO()
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.errors": errors, **more}
    body = app(environ, lambda status, headers, exc_info=None: said.append((status, bool(exc_info))))
    return said, body, errors


def test_a_file_is_left_for_the_server_to_recognize(named: Named, tmp_path: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    with path.open("rb") as file:
        made = FileWrapper(file)
        _, body, _ = run(Middleware(lambda environ, start: made), **{"wsgi.file_wrapper": FileWrapper})
    assert body is made
    assert len(named("span")) == 1


def test_the_traceback_goes_where_the_server_keeps_its_errors(named: Named) -> None:
    said, body, errors = run(Middleware(application), PATH_INFO="/fail")
    assert said == [("500 Internal Server Error", True)]
    assert b"".join(body).startswith(b"This did not work")
    assert "ValueError: no sq10" in errors.getvalue()


@pytest.mark.parametrize(("options", "path"), [({"error_page": False}, "/fail"), ({}, "/late")])
def test_without_a_page_or_too_late_for_one_it_is_raised(named: Named, options: Any, path: str) -> None:
    with pytest.raises(ValueError):
        run(Middleware(application, **options), PATH_INFO=path)
    assert len(named("error")) == len(named("span")) == 1
    tellback.event("after")
    assert "trace" not in named("event")[-1]


def test_who_it_is_is_asked_again_at_the_end(named: Named) -> None:
    def signs_in(environ: Any, start_response: Any) -> Any:
        environ["who"] = "guido"
        return application(environ, start_response)

    run(Middleware(signs_in, user=lambda environ: environ["who"]))
    run(Middleware(application), REMOTE_USER="ada")
    assert [span["user"] for span in named("span")] == ["guido", "ada"]
    assert named("event")[1]["user"] == "ada"


def test_one_inside_of_another_makes_one_span(named: Named) -> None:
    run(Middleware(Middleware(application)))
    assert len(named("span")) == 1


def test_what_is_no_text_and_no_method_is_got_over(named: Named) -> None:
    run(Middleware(application), PATH_INFO="/\udcff" + "x" * 5_000, REQUEST_METHOD="BREW", HTTP_X_REQUEST_ID="a\nb")
    (span,) = named("span")
    assert span["attrs"]["http.request.method"] == span["name"] == "_OTHER"
    assert len(span["attrs"]["url.path"]) == 1_024
    assert "request_id" not in span["attrs"]
