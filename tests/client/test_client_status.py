"""The look into a process from inside: real servers, asked over HTTP; Prometheus' own reader for its text."""

import http.client
import json
import threading
import urllib.error
import urllib.request
import wsgiref.simple_server
import wsgiref.validate
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parsed
from starlette.applications import Starlette
from starlette.routing import Mount

import tellback
from tellback.client.metrics.reading import Reading
from tellback.client.status import prometheus
from tellback.client.status.tree import asked

Get = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def host(spool: Path) -> None:
    """A program that counts."""
    tellback.init("rigtools", "1.4.2", spool=spool)
    tellback.counter("reqs").add(3)
    tellback.counter("reqs").add(4, route='/a"b')
    tellback.gauge("queue", caveat="Waits too.").set(-2.5)
    took = tellback.histogram("took", unit="ns")
    for value in (0, 1e6, 1e6, 3e6):
        took.record(value)
    tellback.meter("frames").mark(5)


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(params=["serve", "asgi", "wsgi"])
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "serve":
        server = tellback.status.serve()
        yield server.url
        server.close()
    elif request.param == "wsgi":
        app = wsgiref.validate.validator(tellback.status.wsgi)
        httpd = wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        httpd.server_close()
        thread.join()
    else:
        mounted = Starlette(routes=[Mount("/status", tellback.status.asgi)])
        web = uvicorn.Server(uvicorn.Config(mounted, port=0, log_level="error", lifespan="off"))
        thread = threading.Thread(target=web.run)
        thread.start()
        while not web.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/status/"
        web.should_exit = True
        thread.join()


@pytest.fixture
def get(base: str) -> Get:
    def ask(path: str, **headers: str) -> tuple[int, str, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers)) as reply:
                return reply.status, reply.headers["Content-Type"], reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()

    return ask


def test_it_says_what_there_is_in_all_three_forms(host: None, get: Get) -> None:
    status, type_, body = get("?format=json")
    assert (status, type_) == (200, "application/json")
    found = json.loads(body)
    assert found["process"]["service"] == "rigtools"
    assert found["client"]["recording"] is True
    metrics = found["metrics"]
    assert (metrics["reqs"], metrics['reqs{route="/a"b"}'], metrics["queue"]) == (3.0, 4.0, -2.5)
    assert metrics["frames"] == {"count": 5.0, "m1": 0.0, "m5": 0.0, "m15": 0.0}
    took = metrics["took"]
    assert (took["count"], took["sum"], took["mean"], took["min"], took["unit"]) == (4, 5e6, 1.25e6, 0.0, "ns")
    assert took["p50"] == pytest.approx(1e6, rel=0.0055)
    assert took["p999"] == took["max"] == pytest.approx(3e6, rel=0.0055)

    status, type_, body = get("")
    assert (status, type_) == (200, "text/html; charset=utf-8")
    assert "<h1>rigtools</h1>" in body
    assert "reqs{route=&quot;/a&quot;b&quot;}" in body
    assert "<script" not in body

    status, type_, body = get("metrics")
    assert (status, type_) == (200, prometheus.CONTENT_TYPE)
    samples = {(s.name, *s.labels.items()): s.value for family in parsed(body) for s in family.samples}
    assert samples["reqs_total",] == 3.0
    assert samples["reqs_total", ("route", '/a"b')] == 4.0
    assert samples["queue",] == -2.5
    assert samples["took_seconds_sum",] == pytest.approx(5e-3)
    bounds = {float(key[1][1]): value for key, value in samples.items() if key[0] == "took_seconds_bucket"}
    assert bounds == {2**20 * 1e-9: 3, 2**21 * 1e-9: 3, 2**22 * 1e-9: 4, float("inf"): 4}
    assert {f.name: f.documentation for f in parsed(body)}["queue"] == "Waits too."


def test_a_query_keeps_what_has_a_key(host: None, get: Get) -> None:
    assert json.loads(get("?format=json&query=count%3E%3D5")[2]) == {"metrics": {"frames": {"count": 5.0}}}
    assert json.loads(get("?format=json&query=service")[2]) == {"process": {"service": "rigtools"}}
    assert json.loads(get("?format=json&query=nothing")[2]) == {}
    assert 'value="count&gt;=5"' in get("?query=count%3E%3D5")[2]
    status, _, body = get("?query=%3E%3D")
    assert (status, body.startswith("query: expected a key")) == (400, True)


def test_what_is_not_there_is_said(get: Get, base: str) -> None:
    assert get("elsewhere")[0] == 404
    assert get("?format=xml")[0] == 400
    assert json.loads(get("?format=json")[2]) == {
        "process": {}, "client": {"version": tellback.__version__, "recording": False}, "metrics": {},
    }  # fmt: skip
    request = urllib.request.Request(base, method="POST", data=b"x")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as error:
        assert error.code in (405, 501)
    with urllib.request.urlopen(urllib.request.Request(base, method="HEAD")) as reply:
        assert (reply.status, reply.read()) == (200, b"")


def test_the_server_of_its_own_answers_this_machine_alone() -> None:
    server = tellback.status.serve()
    try:
        assert server.url.startswith("http://127.0.0.1:")
        connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=10)
        connection.request("GET", "/", headers={"Host": "evil.example"})
        assert connection.getresponse().status == 403
        connection.close()
        taken = tellback.status.serve(int(server.url.rsplit(":", 1)[1].strip("/")))
        assert taken.url == ""
        taken.close()
    finally:
        server.close()
        server.close()


TEXT = st.text(max_size=8)


@given(
    st.lists(
        st.builds(
            Reading, TEXT, st.sampled_from(["counter", "gauge", "histogram", "meter"]),
            st.dictionaries(TEXT, TEXT, max_size=3), st.sampled_from([None, "ns", "By", "{x}"]), TEXT,
            st.floats(0, 1e18), st.integers(0, 5),
            st.dictionaries(st.integers(-700, 700), st.integers(1, 9), max_size=5),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_prometheus_reads_whatever_there_is(readings: list[Reading]) -> None:
    text = prometheus.text(readings)
    families = list(parsed(text))
    samples = [sample for family in families for sample in family.samples]
    histograms = [reading for reading in readings if reading.type == "histogram"]
    counted = [s.value for f in families if f.type == "histogram" for s in f.samples if s.name == f"{f.name}_count"]
    assert sorted(counted) == sorted(float(reading.count) for reading in histograms)
    assert len(samples) >= len(readings)


@given(st.text(max_size=20))
def test_a_query_is_answered_or_refused_in_words(query: str) -> None:
    whole = {"a": {"count": 5, "name": "x"}, "count": None, "on": True}
    try:
        assert set(asked(whole, query)) <= set(whole)
    except ValueError as error:
        assert str(error).startswith("query: ")  # noqa: PT017 -- both ways are right
