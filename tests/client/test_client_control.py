"""Rules about what may be recorded: their words, what they let pass, and where they come from."""

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from intake_stub import Server
from spool_files import lines

import tellback
from tellback import order, rules
from tellback.client import live, notice
from tellback.client.encode import line
from tellback.client.governor import SAMPLED, Bucket, Governor
from tellback.client.lost import Lost
from tellback.client.orders import Orders
from tellback.record import MAX_LINE, Line

SECOND = 1_000_000_000


def until(test: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 15
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("disable!", "not JSON"),
        ("[]", "expected an object"),
        ('{"disabel": []}', "disabel: no such rule; there are disable_all, disable, sample, rate"),
        ('{"disable_all": 1}', "disable_all: expected true or false, got 1"),
        ('{"disable": "kind:log"}', "disable: expected a list"),
        ('{"disable": ["kind:lgo"]}', "disable[0]: there is no kind 'lgo'; there are error, event, log"),
        ('{"disable": ["a", "kind:lost"]}', "disable[1]: kind:lost cannot be left out"),
        ('{"disable": ["name:"]}', "disable[0]: 'name:' names nothing"),
        ('{"disable": [""]}', "disable[0]: expected a selector"),
        ('{"disable": [5]}', "disable[0]: expected a selector"),
        ('{"sample": {"a": 2}}', "sample.a: expected the share to keep, from 0 to 1, got 2"),
        ('{"sample": {"a": true}}', "sample.a: expected the share"),
        ('{"sample": [0.1]}', "sample: expected an object"),
        ('{"rate": {"a": 10}}', 'rate.a: expected a rate such as "10/s", "100/min" or "1000/h", got 10'),
        ('{"rate": {"a": "10/day"}}', "rate.a: expected a rate"),
        ('{"rate": {"kind:x": "1/s"}}', "rate: there is no kind 'x'"),
        (json.dumps({"disable": ["a"] * 1001}), "more than 1000 rules"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(given: str, words: str) -> None:
    with pytest.raises(rules.RulesError) as caught:
        rules.parse(given)
    assert words in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["kind:log", "name:*", "10/s"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8) | st.sampled_from(rules.KEYS), inner, max_size=4),
)  # fmt: skip


@given(JSON)
def test_anything_is_rules_or_told_what_is_wrong(value: Any) -> None:
    try:
        made = rules.of(value)
    except rules.RulesError:
        return
    assert 0 <= made.verdict("event", "x").sample <= 1


def test_selectors() -> None:
    def covers(text: str, kind: str, name: str) -> bool:
        return rules.selector(text, "here").covers(kind, name)

    assert covers("kind:log", "log", "x")
    assert not covers("kind:log", "event", "log")
    assert covers("debug.*", "event", "debug.x\ny")
    assert covers("name:*", "log", "")
    assert covers("a*c*", "event", "abbc")
    assert not covers("a*c", "event", "abbcd")
    assert not covers("a.c", "event", "abc")
    assert covers("https://example.org/s/*", "event", "https://example.org/s/1")


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_stars_stand_for_any_characters(pattern: str, value: str) -> None:
    assume(pattern)
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value) is not None
    assert rules.Selector(pattern, False, pattern).covers("event", value) is expected


def test_many_stars_take_no_time() -> None:
    assert not rules.selector("*a" * 200 + "*b", "here").covers("event", "a" * 4096)


def test_the_closest_selector_counts_and_the_strictest_source() -> None:
    one = rules.of({"sample": {"*": 0.5, "kind:event": 0.9, "mouse*": 0.1, "kind:log": 0.2}, "rate": {"a": "1/s"}})
    assert one.verdict("event", "mouse_moved").sample == 0.1
    assert one.verdict("event", "x").sample == 0.5
    other = rules.of({"sample": {"x": 0.7}, "rate": {"a": "30/min"}})
    both = rules.strictest(source.verdict("event", "a") for source in (one, other))
    assert both == rules.Verdict(sample=0.5, rate=rules.Rate(30, 60.0))
    assert rules.strictest([]) == rules.Verdict()
    off = rules.of({"disable": ["a"]})
    assert rules.strictest([one.verdict("event", "a"), off.verdict("event", "a")]).disabled


class Made:
    def __init__(self, said: dict[str, Any], chance: float = 0.5) -> None:
        self.kept: list[bytes] = []
        self.lost = Lost()
        self.now = 0.0
        self.take = self.kept.append
        self.governor = Governor(self, [rules.of(said)], clock=lambda: self.now, chance=lambda: chance)

    def awake(self) -> None:
        """Nothing sleeps here."""

    def send(self, name: Any, kind: str = "event", **attrs: Any) -> None:
        self.governor.append(line({"kind": kind, "name": name}, attrs))


@given(st.text(max_size=20), st.sampled_from(["event", "log", "error", "usage"]), st.text(max_size=8))
def test_every_name_is_told_apart_as_it_was_written(name: str, kind: str, pattern: str) -> None:
    written = msgspec.json.decode(line({"kind": kind, "name": name}, {}), type=Line).name or ""
    made = Made({"disable": [f"name:{pattern}*"]})
    made.send(name, kind)
    assert bool(made.kept) is not written.startswith(pattern.partition("*")[0]) or "*" in pattern


def test_a_line_of_another_make_is_judged_all_the_same() -> None:
    made = Made({"disable": ["kind:log", "off"]})
    for raw in (b'{"name":"off"}\n', b'{"name":"on"}\n', b'{"name":"x","kind":"log"}\n', b"no line\n"):
        made.governor.append(raw)
    assert made.kept == [b'{"name":"on"}\n', b"no line\n"]
    assert made.lost.total() == {"disabled": 2, "error": 0}


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.dictionaries(st.text(max_size=3), st.none(), max_size=1))
)
def test_what_is_kept_of_a_sample_says_so_and_stays_a_line(attrs: dict[str, Any]) -> None:
    made = Made({"sample": {"e": 0.6}})
    made.governor.append(line({"kind": "event", "name": "e"}, attrs))
    (kept,) = made.kept
    whole = msgspec.json.decode(kept, type=Line)
    assert whole.attrs is not None
    assert whole.attrs.pop(SAMPLED) == 0.6
    assert whole.attrs == (msgspec.json.decode(line({"kind": "event", "name": "e"}, attrs)).get("attrs") or {})
    assert kept.endswith(b"\n")


def test_a_line_that_has_no_room_for_the_mark_goes_without() -> None:
    made = Made({"sample": {"e": 0.6}})
    head = b'{"time":1,"kind":"event","name":"e","message":"'
    full = head + b"x" * (MAX_LINE - len(head) - 3) + b'"}\n'
    made.governor.append(full)
    assert made.kept == [full]


def test_samples_are_counted() -> None:
    made = Made({"sample": {"e": 0.5, "none": 0, "all": 1}}, chance=0.5)
    for name in ("e", "none", "all", "other"):
        made.send(name)
    assert [msgspec.json.decode(one)["name"] for one in made.kept] == ["all", "other"]
    assert made.lost.total() == {"sampled": 2}


def test_a_rate_is_of_each_name_and_fills_again() -> None:
    made = Made({"rate": {"beat*": "2/s"}})
    for _ in range(5):
        made.send("beat1")
        made.send("beat2")
    made.now = 0.5
    made.send("beat1")
    made.send("beat1")
    assert Counter(msgspec.json.decode(one)["name"] for one in made.kept) == {"beat1": 3, "beat2": 2}
    assert made.lost.total() == {"rate": 7}


@given(st.lists(st.floats(-1, 20, allow_nan=False), max_size=60), st.integers(0, 5), st.sampled_from([1.0, 60.0]))
def test_never_more_than_the_rate(steps: list[float], count: int, seconds: float) -> None:
    bucket = Bucket(rules.Rate(count, seconds), 0.0)
    now = last = 0.0
    passed = 0
    for step in steps:
        now = max(0.0, now + step)  # a clock may step back
        last += max(0.0, step)
        passed += bucket.take(now)
    assert passed <= count + last * count / seconds + 1e-6


def test_names_without_end_do_not_fill_the_memory() -> None:
    made = Made({"disable": ["kind:log"]})
    for number in range(10_050):
        made.governor.append(b'{"time":1,"kind":"event","name":"n%d"}\n' % number)
    assert len(made.kept) == 10_050
    assert len(made.governor._rulings) == 10_000


def names(spool: Path) -> list[tuple[str, str]]:
    return [(record["kind"], record["name"]) for record in lines(spool)]


def test_the_watched_file_narrows_and_opens_again(spool: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    tellback.init("s", spool=spool, config=file)
    tellback.event("debug.a")
    assert live.governor is None
    file.write_text('{"disable": ["kind:log", "debug.*"], "sample": {"rare": 0}, "rate": {"beat": "1/h"}}')
    until(lambda: live.governor is not None)
    logger = logging.getLogger("rig.of.test")
    handler = tellback.LogHandler()
    logger.addHandler(handler)
    logger.warning("not this")
    logger.removeHandler(handler)
    for name in ("debug.a", "export", "rare", "beat", "beat"):
        tellback.event(name, a=1)
    file.unlink()
    until(lambda: live.governor is None)
    tellback.event("debug.a")
    tellback.flush(0)
    assert [name for name in names(spool) if name[0] != "lost"] == [
        ("event", "debug.a"), ("event", "export"), ("event", "beat"), ("event", "debug.a"),
    ]  # fmt: skip
    told = {r["name"]: r["value"] for r in lines(spool) if r["kind"] == "lost"}
    assert told == {"disabled": 2, "sampled": 1, "rate": 1}


def test_without_rules_nothing_stands_in_the_way(spool: Path) -> None:
    tellback.init("s", spool=spool)
    assert live.spool is not None
    assert live.spool.append == live.spool.take


def test_broken_rules_leave_those_before_and_are_told_of(
    spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"disable": ["a"]}')
    tellback.init("s", spool=spool, config=file)
    tellback.event("a")
    # One complaint after another: also of what a reader finds of a file that is still being written.
    file.write_text('{"disable"')
    until(lambda: "cannot be used" in caplog.text)
    file.write_text('{"disable": ["kind:lgo"]}')
    until(lambda: "disable[0]: there is no kind 'lgo'" in caplog.text)
    tellback.event("a")
    tellback.event("b")
    assert [name for kind, name in names(spool) if kind == "event"] == ["b"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [("kind:log", ["a", "b"]), ("name:a", ["b"]), ("kind:log, name:*", []), ("kind:lgo", None), ("1", None)],
)
def test_the_environment_selects(
    spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str, kept: list[str] | None
) -> None:
    monkeypatch.setenv("TELLBACK_DISABLE", value)
    tellback.init("s", spool=spool)
    tellback.event("a")
    tellback.event("b")
    assert spool.exists() is (kept is not None)
    if kept is not None:
        assert [r["name"] for r in lines(spool) if r["kind"] == "event"] == kept
    assert ("kind 'lgo'" in caplog.text) is (value == "kind:lgo")


def test_an_error_that_is_left_out_has_no_id(spool: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"disable": ["ValueError"]}')
    tellback.init("s", spool=spool, config=file)
    assert tellback.capture(ValueError("no")) == ""
    assert len(tellback.report("yes")) == 32
    assert len(tellback.capture(KeyError("yes"))) == 32
    tellback.flush(0)
    assert [r.get("name") for r in lines(spool) if r["kind"] == "error"] == [None, "KeyError"]
    assert [(r["name"], r["value"]) for r in lines(spool) if r["kind"] == "lost"] == [("disabled", 1)]


def test_durable_records_are_ruled_too(spool: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"disable": ["a"]}')
    tellback.init("s", spool=spool, config=file, durable=True)
    tellback.event("a")
    tellback.event("b")
    assert [name for kind, name in names(spool) if kind == "event"] == ["b"]


# Orders of the server


def ordered(said: dict[str, Any], *, now: int = 0, issued: int = 1, seconds: float = 60, token: str = "t") -> str:
    now = now or time.time_ns()
    return order.sign(order.Order(said, issued, now, now + int(seconds * SECOND)), token)


@given(st.text(max_size=30), st.integers(0, 200), st.integers(0, 255))
def test_only_what_the_server_signed_is_an_order(text: str, at: int, byte: int) -> None:
    good = ordered({"disable": ["a"]})
    assert order.read(good, "t").rules == {"disable": ["a"]}
    changed = good[:at] + chr(byte) + good[at + 1 :]
    for bad in (text, changed if changed != good else "", good + "0"):
        with pytest.raises(order.OrderError):
            order.read(bad, "t")
    with pytest.raises(order.OrderError, match="not signed"):
        order.read(good, "another")


def test_an_order_holds_until_it_expires_and_for_the_next_process(tmp_path: Path) -> None:
    first = Orders(tmp_path, "http://h", "t")
    assert not first.in_force
    first.obey(ordered({"disable_all": True}))
    assert first.rules().disable_all
    assert Orders(tmp_path, "http://h", "t").rules().disable_all
    assert Orders(tmp_path, "http://other", "t").rules().empty
    assert Orders(tmp_path, "http://h", "other").rules().empty
    first.obey(ordered({}, issued=2))
    assert first.rules().empty
    assert first.in_force
    assert Orders(tmp_path, "http://h", "t").rules().empty
    first.obey(ordered({"disable_all": True}, issued=3, seconds=-1))
    assert not first.in_force
    assert first.rules().empty
    for path in tmp_path.iterdir():
        path.write_text("garbage")
    assert Orders(tmp_path, "http://h", "t").rules().empty


def test_an_old_or_foreign_order_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Orders(tmp_path, "http://h", "t")
    now = time.time_ns()
    made.obey(ordered({"disable": ["a"]}, now=now, issued=5))
    made.obey(ordered({"disable_all": True}, now=now - 1, issued=6))
    made.obey(ordered({"disable_all": True}, now=now + 1, token="forged"))
    made.obey(ordered({"disable_everything": True}, now=now + 2, issued=7))
    assert [one.text for one in made.rules().disable] == ["a"]
    assert "not signed" in caplog.text


def test_the_servers_order_comes_with_an_answer_and_goes_the_same_way(spool: Path, server: Server) -> None:
    answer = {"accepted": 1, "rejected": 0, "duplicates": 0, "errors": []}
    server.script = [(202, {order.HEADER: ordered({"disable": ["off"]})}, answer)]
    tellback.init("s", spool=spool, url=server.url, token="t", interval=0.05)
    tellback.event("first")
    until(lambda: live.governor is not None)
    tellback.event("off")
    tellback.event("on")
    assert tellback.flush(10)
    assert [r["name"] for r in server.records() if r["kind"] == "event"] == ["on"]
    with server.changed:
        server.script = [(202, {order.HEADER: ordered({}, issued=2)}, answer)]
    tellback.event("third")
    until(lambda: live.governor is None)


def test_debug_says_what_happens(spool: Path, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "tellback")
    file = tmp_path / "rules.json"
    file.write_text('{"disable": ["off"], "sample": {"x": 0.5}}')
    tellback.init("rigtools", "1.4.2", spool=spool, url=server.url, token="t", config=file, debug=True)
    tellback.event("off")
    tellback.event("on")
    assert tellback.flush(10)
    said = caplog.text
    assert f"Records of rigtools 1.4.2 go to {spool} and to {server.url} every 2 s" in said
    assert "without off, 0.5 of x" in said
    assert sum(map(int, re.findall(r"The server took (\d+) records", said))) == 2  # the event, and what was lost
    assert "Dropped, which is told to the server: 1 (disabled)" in said
    tellback.init("rigtools", spool=spool)
    caplog.clear()
    tellback.event("on")
    assert caplog.text == ""
    assert notice._debug is False
