"""The server's order about what clients may record, from the one who gives it to the client that obeys."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tellback import order
from tellback.server.control import LONGEST, SECOND, Control
from tellback.server.decisions import Decisions, open_decisions
from tellback.server.grant import READ, WRITE
from tests.server.house import House, house
from tests.server.running import Running, until
from tests.whole.programs import environment, finish

SEGMENT = {"Tellback_Segment": "a" * 32, "Tellback_Offset": "0"}
LINE = b'{"time":1,"kind":"event","name":"x"}\n'


@pytest.fixture
def decisions(tmp_path: Path) -> Iterator[Decisions]:
    made = open_decisions(tmp_path, "")
    yield made
    made.close()


def test_an_order_holds_until_its_time_is_over(decisions: Decisions) -> None:
    now = 100 * SECOND
    control = Control(decisions, clock=lambda: now)
    assert control.signed("1", "t") is None
    control.give("1", {"disable": ["kind:log"]}, 60)
    text = control.signed("1", "t")
    assert text is not None
    assert order.read(text, "t") == order.Order({"disable": ["kind:log"]}, now, now, now + 60 * SECOND)
    assert control.signed("2", "t") is None
    now += 60 * SECOND
    assert control.signed("1", "t") is None


def test_taken_back_it_says_so_for_as_long_as_it_would_have_held(decisions: Decisions) -> None:
    now = 100 * SECOND
    control = Control(decisions, clock=lambda: now)
    control.give("1", {"disable_all": True}, 60)
    now += SECOND
    assert control.withdraw("1")
    assert not control.withdraw("1")
    text = control.signed("1", "t")
    assert text is not None
    assert order.read(text, "t") == order.Order({}, now, now, 160 * SECOND)


def test_another_process_orders(decisions: Decisions, tmp_path: Path) -> None:
    here = Control(decisions)
    assert here.standing("1") is None
    other = open_decisions(tmp_path, "")
    Control(other).give("1", {"disable_all": True}, 60)
    other.close()
    until(lambda: here.standing("1") is not None)


@pytest.mark.parametrize(
    ("said", "seconds", "words"),
    [
        ({"disabel": []}, 60, "disabel: no such rule"),
        ({"disable": ["kind:lgo"]}, 60, "disable[0]"),
        ({"disable": ["x" * 400] * 50}, 60, "16384 bytes"),
        ({}, 0, "seconds"),
        ({}, LONGEST + 1, "90 days"),
    ],
)
def test_a_bad_order_is_refused_in_words(decisions: Decisions, said: Any, seconds: int, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        Control(decisions).give("1", said, seconds)
    assert words in str(caught.value)
    assert Control(decisions).standing("1") is None


@pytest.fixture
def at_home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "data") as made:
        yield made


def test_every_answer_to_a_client_carries_it_and_no_other_does(at_home: House) -> None:
    assert order.HEADER not in at_home.post(LINE, **SEGMENT).headers
    at_home.server.control.give("1", {"sample": {"x": 0.5}}, 60)
    taken = at_home.post(LINE, **SEGMENT)  # a duplicate by now, which makes no difference
    assert taken.status == 202
    assert order.read(taken.headers[order.HEADER], at_home.token).rules == {"sample": {"x": 0.5}}
    assert order.HEADER not in at_home.post(LINE).headers


def test_a_fault_of_ours_does_not_take_an_acknowledgement_back(
    at_home: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(project: str, token: str) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(at_home.server.intake, "control", broken)
    assert at_home.post(LINE, **SEGMENT).status == 202
    assert "could not be read" in caplog.text


def test_the_order_is_for_the_project_of_the_token(at_home: House) -> None:
    other = at_home.server.access.new_token([WRITE], "other").token
    at_home.server.control.give("other", {"disable_all": True}, 60)
    assert order.HEADER not in at_home.post(LINE, **SEGMENT).headers
    assert order.HEADER in at_home.post(LINE, token=other, **SEGMENT).headers
    asked = at_home.post(b"", "/v1/control", token=other, method="GET")
    assert asked.json()["rules"] == {"disable_all": True}
    assert order.read(asked.headers[order.HEADER.lower()], other).rules == {"disable_all": True}
    none = at_home.post(b"", "/v1/control", method="GET")
    assert none.json() == {"rules": {}, "issued": None, "expires": None}


def test_who_may_ask_and_who_may_order(at_home: House) -> None:
    read = at_home.server.access.new_token([READ]).token
    given = json.dumps({"rules": {"disable_all": True}, "seconds": 60}).encode()
    assert at_home.post(b"", "/v1/control", token=read, method="GET").status == 403
    for token in (read, at_home.token):
        assert at_home.post(given, "/api/control", token=token, method="PUT").status == 403
        assert at_home.post(b"", "/api/control", token=token, method="GET").status == 403
        assert at_home.post(b"", "/api/control", token=token, method="DELETE").status == 403
    assert at_home.server.control.standing("1") is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"rules": {}}', b'{"rules": {}, "seconds": "1"}', b'{"rules": {"x": 1}, "seconds": 5}',
             b'{"rules": {}, "seconds": 5, "project": ""}', b'{"rules": {}, "seconds": 5, "for": 1}', b"x" * 70_000],
)  # fmt: skip
def test_a_bad_body_is_told_what_is_wrong(at_home: House, body: bytes) -> None:
    admin = at_home.server.access.local_token
    refused = at_home.post(body, "/api/control", token=admin, method="PUT")
    assert refused.status in (400, 413)
    assert refused.json()["error"]["message"]


PROGRAM = """
    import time
    import tellback
    from tellback.client import live

    tellback.init(service="rigtools", interval=0.05)
    tellback.event("first")
    assert tellback.flush(30)
    deadline = time.monotonic() + 20
    while live.governor is None and time.monotonic() < deadline:
        time.sleep(0.01)
    for n in range(10):
        tellback.event("chatter", n=n)
        tellback.event("kept", n=n)
    assert tellback.flush(30)
"""

NEXT = """
    import tellback
    tellback.init(service="rigtools")
    tellback.event("chatter")
    tellback.event("kept")
    assert tellback.flush(30)
"""


def test_clients_obey_and_count_what_they_left_out(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        admin = json.loads((server.data / "server.json").read_text())["token"]
        given = json.dumps({"rules": {"disable": ["chatter"]}, "seconds": 600}).encode()
        assert server.request("PUT", "/api/control", given, token=admin).status == 200
        environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
        finish(textwrap.dedent(PROGRAM), environ)
        finish(textwrap.dedent(NEXT), environ)  # obeys from its first record on

        def counts() -> dict[str, int]:
            found = server.request("GET", "/api/questions/adoption.features", token=admin).json()["rows"]
            return {row["name"]: row["records"] for row in found}

        until(lambda: counts() == {"first": 1, "kept": 11})
        ledger = server.request("GET", "/api/questions/store.ledger", token=admin).json()["rows"]
        assert {row["reason"]: row["records"] for row in ledger}["dropped:disabled"] == 11
