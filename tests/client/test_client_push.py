"""Pushing to Graphite and StatsD: real sockets on this machine."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tellback
from tellback.client.push import to_graphite, to_statsd
from tellback.client.push.pusher import Pusher
from tellback.client.push.rules import Rules
from tellback.client.push.values import Value

NEVER = 3600.0


@pytest.fixture(autouse=True)
def host(spool: Path) -> None:
    """A program that counts."""
    tellback.init("s", spool=spool)
    tellback.counter("reqs").add(3)
    tellback.counter("reqs").add(4, route="/a b;c")
    tellback.gauge("queue.length").set(-2.5)
    for _ in range(10):
        tellback.histogram("took").record(8)


@pytest.fixture
def carbon() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def received(carbon: socket.socket) -> list[str]:
    connection, _ = carbon.accept()
    with connection:
        data = b""
        while part := connection.recv(65536):
            data += part
    return data.decode().splitlines()


def test_graphite_gets_what_is_allowed(carbon: socket.socket) -> None:
    pusher = tellback.push.graphite("127.0.0.1", carbon.getsockname()[1], prefix="studio", period=NEVER)
    assert pusher.push()  # nothing is allowed yet: no connection either
    pusher.allow("*")
    pusher.forbid("took.p*")
    pusher.allow("took.p99")
    pusher.prune("queue")
    before = int(time.time())
    assert pusher.push()
    found = [line.split(" ") for line in received(carbon)]
    assert all(before <= int(seconds) <= time.time() for _, _, seconds in found)
    assert {path: value for path, value, _ in found} == {
        "studio.reqs": "3", "studio.reqs;route=/a_b_c": "4", "studio.took.count": "10", "studio.took.sum": "80",
        "studio.took.mean": "8", "studio.took.min": found_value(found, "min"),
        "studio.took.max": found_value(found, "max"), "studio.took.p99": found_value(found, "p99"),
    }  # fmt: skip
    assert float(found_value(found, "p99")) == pytest.approx(8, rel=0.0055)
    pusher.close()


def found_value(found: list[list[str]], name: str) -> str:
    return next(value for path, value, _ in found if path.endswith("." + name))


def test_a_pusher_pushes_by_itself_until_it_is_closed(carbon: socket.socket) -> None:
    pusher = tellback.push.graphite("127.0.0.1", carbon.getsockname()[1], period=0.05)
    pusher.allow("reqs")
    for _ in range(2):
        assert received(carbon)[0].startswith("reqs 3 ")
    pusher.close()


def test_statsd_gets_differences(spool: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        pusher = tellback.push.statsd("127.0.0.1", server.getsockname()[1], prefix="s", period=NEVER)
        pusher.allow("reqs")
        pusher.allow("queue*")
        pusher.allow("took.count")
        assert pusher.push()
        assert server.recv(2000).decode().split("\n") == [
            "s.queue.length:0|g", "s.queue.length:-2.5|g", "s.reqs:3|c", "s.reqs:4|c|#route:/a_b;c",
            "s.took.count:10|c",
        ]  # fmt: skip
        tellback.counter("reqs").add(5)
        assert pusher.push()
        assert server.recv(2000).decode().split("\n")[2:] == ["s.reqs:5|c"]
        tellback.init("again", spool=spool)
        tellback.counter("reqs").add(2)
        assert pusher.push()
        assert server.recv(2000) == b"s.reqs:2|c"
        pusher.close()


def test_nobody_there_is_said_once_and_never_raised(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    pusher = tellback.push.graphite("127.0.0.1", port, period=NEVER)
    pusher.allow("*")
    assert not pusher.push()
    assert not pusher.push()
    pusher.close()
    (record,) = caplog.records
    assert f"Nothing can be pushed to graphite 127.0.0.1:{port} (ConnectionRefusedError" in record.getMessage()


def test_the_newest_rule_holds_and_pruning_beats_all() -> None:
    rules = Rules()
    assert not rules.allows("a.b")
    rules.allow("*")
    assert rules.allows("a.b")
    rules.forbid("a.*")
    rules.allow("a.c")
    assert [rules.allows(path) for path in ("a", "a.b", "a.c", "b")] == [True, False, True, True]
    rules.prune("a")
    assert [rules.allows(path) for path in ("a", "a.c", "ab", "b.a")] == [False, False, True, True]


VALUES = st.builds(
    Value,
    st.from_regex(r"[a-z_]{1,5}(\.[a-z_]{1,5}){0,2}", fullmatch=True),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    st.floats(-1e18, 1e18),
    st.just(False),
)


@given(st.lists(VALUES, max_size=8))
def test_whatever_the_labels_say_the_lines_stay_lines(values: list[Value]) -> None:
    for value in values:
        line = to_graphite.line(value, "p", 7)
        path, number, seconds = line.removesuffix("\n").split(" ")
        assert (path.split(";")[0], float(number), seconds) == (f"p.{value.path}", value.value, "7")
        assert len(path.split(";")) == 1 + len(value.labels)
    lines = [line for value in values for line in to_statsd.lines(value, "p", {})]
    joined = b"\n".join(to_statsd.packets(lines)).decode()
    assert joined == "\n".join(lines)
    for line in joined.split("\n") if joined else []:
        path, rest = line.split(":", 1)
        assert rest.split("|")[1] == "g"
        assert path.removeprefix("p.") in {value.path for value in values}


@given(st.lists(st.integers(1, 1400).map(lambda n: "x" * n), max_size=30))
def test_packets_are_small_and_hold_every_line(lines: list[str]) -> None:
    found = list(to_statsd.packets(lines))
    assert all(len(packet) <= 1432 for packet in found)
    assert [line for packet in found for line in packet.decode().split("\n")] == lines


def test_a_pusher_is_what_the_functions_give() -> None:
    pusher = tellback.push.statsd("127.0.0.1", 9, period=NEVER)
    assert isinstance(pusher, Pusher)
    pusher.close()
