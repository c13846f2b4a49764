"""Towards the server: whatever it does, calls do not notice, and each record arrives once or is accounted for."""

import email.utils
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import lines

import tellback
from tellback.client import lifecycle, live
from tellback.client.delivery import Delivery
from tellback.client.lost import Lost
from tellback.client.slices import halves
from tellback.client.transport import Transport


def numbers(server: Server) -> list[int]:
    return sorted(record["attrs"]["n"] for record in server.records() if record["kind"] == "event")


@pytest.mark.parametrize(
    "trouble",
    [
        [(500, {}, {})] * 3,
        [(503, {"Retry-After": "0"}, {})] * 2,
        [(429, {"Retry-After": "0"}, {"error": {}})],
        [(415, {}, {})] * 2,
        [(413, {}, {})] * 3,
    ],
    ids=["500", "503", "429", "415", "413"],
)
def test_a_server_in_trouble_gets_all_of_it_once_in_the_end(server: Server, spool: Path, trouble: list[Any]) -> None:
    server.script[:] = trouble
    tellback.init("s", url=server.url, spool=spool, interval=0.05)
    for n in range(1000):
        tellback.event("e", n=n)
    server.wait(lambda s: len(s.lines) == 1000)
    assert numbers(server) == list(range(1000))
    assert not server.script
    assert server.duplicates == 0


def test_slices_are_split_until_the_server_takes_them(server: Server, spool: Path) -> None:
    server.largest = 5_000
    tellback.init("s", url=server.url, spool=spool, interval=0.05)
    tellback.event("long", text="x" * 6_000)
    for n in range(500):
        tellback.event("e", n=n)
    assert tellback.flush(20)
    assert numbers(server) == list(range(500))
    aside = list((spool / "rejected").iterdir())
    assert b"x" * 6_000 in aside[0].read_bytes()
    assert live.spool is not None
    assert live.spool.lost.total() == {"too_large": 1}
    assert tellback.flush(10)
    assert [r["value"] for r in server.records() if r["kind"] == "lost"] == [1]


@pytest.mark.parametrize(
    ("body", "lost"),
    [({"accepted": 0, "rejected": 1, "errors": []}, {}), ({"oops": 1}, {"refused": 1})],
    ids=["ours", "other"],
)
def test_a_poisoned_slice_is_set_aside_and_not_tried_again(
    server: Server, spool: Path, body: Any, lost: dict[str, int]
) -> None:
    server.script[:] = [(400, {}, body)]
    tellback.init("s", url=server.url, spool=spool, interval=0.05)
    tellback.event("poison")
    server.wait(lambda s: len(s.requests) == 1)
    assert tellback.flush(10)
    assert live.spool is not None
    assert live.spool.lost.total() == lost
    tellback.event("good", n=1)
    assert tellback.flush(10)
    assert numbers(server) == [1]
    assert b"poison" in next((spool / "rejected").iterdir()).read_bytes()


@pytest.mark.parametrize("answer", [(401, {}, {}), (404, {}, {}), (200, {}, "hello"), (302, {"Location": "/"}, {})])
def test_what_only_a_person_can_mend_is_said_once_and_waited_for(
    server: Server, spool: Path, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.script[:] = [answer] * 50
    tellback.init("s", url=server.url, spool=spool, interval=0.05)
    tellback.event("e", n=1)
    server.wait(lambda s: len(s.requests) == 1)
    assert not tellback.flush(0.3)
    assert not tellback.flush(0.1)
    assert len(server.requests) == 1
    assert len(caplog.messages) == 1
    assert "TELLBACK_" in caplog.messages[0]
    assert len(lines(spool)) == 1  # and nothing is lost


def test_a_stalled_server_holds_up_nothing(server: Server, spool: Path) -> None:
    server.script[:] = ["stall"]
    tellback.init("s", url=server.url, spool=spool, interval=0.05)
    tellback.event("e", n=0)
    server.wait(lambda s: len(s.requests) == 1)
    for n in range(1, 50_000):
        tellback.event("e", n=n)
    assert not tellback.flush(0.1)
    tellback.close(0.1)
    server.released.set()
    tellback.init("s", url=server.url, spool=spool)
    assert tellback.flush(20)
    assert numbers(server) == list(range(50_000))


def test_nobody_there_and_then_somebody(spool: Path) -> None:
    gone = Server()
    gone.close()
    tellback.init("s", url=gone.url, spool=spool, interval=0.05)
    for n in range(100):
        tellback.event("e", n=n)
    assert not tellback.flush(0.3)
    delivery = lifecycle.delivery()
    assert delivery is not None
    assert delivery.trouble
    tellback.close()
    assert len(lines(spool)) == 100


def test_waits_grow_to_a_cap_and_are_jittered(tmp_path: Path) -> None:
    delivery = Delivery(Transport("http://127.0.0.1:9", None), tmp_path, Lost())
    waits = []
    for _ in range(40):
        assert not delivery.send("0" * 32, b"", 0, b"{}\n")
        waits.append(delivery.wait)
    assert all(0.05 <= wait <= 60 for wait in waits)
    assert waits[0] <= 0.5
    assert max(waits) > 5
    assert len(set(waits[10:])) > 10


def test_retry_after_is_obeyed_in_both_forms(server: Server, tmp_path: Path) -> None:
    for value, low, high in (
        ("7", 7, 7),
        (email.utils.formatdate(time.time() + 100, usegmt=True), 90, 101),
        ("999999", 3600, 3600),
    ):
        server.script[:] = [(429, {"Retry-After": value}, {})]
        delivery = Delivery(Transport(server.url, None), tmp_path, Lost())
        assert not delivery.send("0" * 32, b"", 0, b"{}\n")
        assert low <= delivery.wait <= high
        assert delivery.binding
        delivery.close()


def test_the_token_travels_as_a_bearer(spool: Path) -> None:
    server = Server(token="T0ken")
    tellback.init("s", url=server.url, token="T0ken", spool=spool)
    tellback.event("e", n=1)
    assert tellback.flush(10)
    assert numbers(server) == [1]
    tellback.close()
    server.close()


def test_halves_are_whole_lines() -> None:
    assert halves(b"a\nbb\nccc\n") == (b"a\n", b"bb\nccc\n")
    assert halves(b"aaaaaaaaaa\nb\n") == (b"aaaaaaaaaa\n", b"b\n")
    assert halves(b"a\n") == (b"a\n", b"")


@pytest.mark.parametrize(("url", "port"), [("http://[::1]", 80), ("https://[fe80::abcd]/x", 443), ("http://h:1", 1)])
def test_a_url_without_a_port_has_that_of_its_scheme(url: str, port: int) -> None:
    """http.client took the end of an IPv6 address for a port."""
    transport = Transport(url, None)
    transport._tls = False
    reached: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        reached.append(address)
        raise OSError("far enough")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        assert transport.post(b"", {}).reason == "far enough"
    assert {found for _, found in reached} == {port}


@pytest.mark.parametrize("value", ["9" * 400, "Fri, 31 Dec 99999 23:59:59 GMT", "soon", "-1"])
def test_any_retry_after_is_an_answer(server: Server, value: str) -> None:
    server.script[:] = [(503, {"Retry-After": value}, {})]
    transport = Transport(server.url, None)
    answer = transport.post(b"", {})
    transport.close()
    assert answer.status == 503
    assert answer.retry_after in (None, 0.0)
