"""Context out of the process and into it. The form of `traceparent` is the standard's, to the letter."""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tellback
from tellback.client import propagation
from tellback.client.propagation import Parent, found, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
Recorded = Callable[[], list[dict[str, Any]]]


def hex_of(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


@given(hex_of(2), hex_of(32), hex_of(16), hex_of(2), st.sampled_from(["", "-", "-what-the-future-brings", "x"]))
def test_parsing_keeps_the_standard(version: str, trace: str, span: str, flags: str, more: str) -> None:
    value = f"{version}-{trace}-{span}-{flags}{more}"
    good = version != "ff" and set(trace) != {"0"} and set(span) != {"0"} and more != "x"
    good = good and not (version == "00" and more)
    assert parse(value) == (Parent(trace, span) if good else None)


@given(st.integers(0, len(GOOD) - 1), st.characters(exclude_characters="0123456789abcdef"))
def test_one_wrong_sign_is_a_wrong_header(at: int, sign: str) -> None:
    if GOOD[at] != sign:
        assert parse(GOOD[:at] + sign + GOOD[at + 1 :]) is None


@given(st.one_of(st.text(), st.none(), st.binary(), st.integers()))
def test_anything_else_is_none(value: Any) -> None:
    if parse(value) is not None:
        assert re.match(r"[0-9a-f]{2}-", value)


@pytest.mark.parametrize(
    "value", [GOOD + "\n", GOOD.upper(), " " + GOOD, GOOD[:-1], GOOD.replace("0", "\u0660"), GOOD * 20]
)
def test_nearly_right_is_wrong(value: str) -> None:
    assert parse(value) is None


@given(st.dictionaries(st.text() | st.binary(), st.text() | st.binary() | st.none()))
def test_any_carrier_will_do(carrier: dict[Any, Any]) -> None:
    assert set(found(carrier)) <= {"trace", "span", "run"}
    assert found({**carrier, "TraceParent": GOOD}).get("trace") in (TRACE, None)


@given(st.text(min_size=1, max_size=64))
def test_a_run_goes_out_and_comes_back(run: str) -> None:
    with tellback.bound(run=run):
        headers = tellback.inject({"baggage": "userId=alice,tellback.run=old , k=v;p"})
    assert headers["baggage"].isascii()
    assert headers["baggage"].startswith("userId=alice, k=v;p,tellback.run=") or "," in headers["baggage"]
    back = found(headers).get("run")
    encodable = run.encode("utf-8", "replace").decode()
    assert back == (encodable if encodable.isprintable() else None)


def test_a_service_goes_on_with_what_came(recorded: Recorded) -> None:
    asgi = [(b"host", b"x"), (b"traceparent", GOOD.encode()), (b"baggage", b"tellback.run=job%207;ttl=1")]
    with tellback.extract(asgi), tellback.span("GET /shots") as span:
        out = tellback.inject()
    assert out == {"traceparent": f"00-{TRACE}-{span.span}-01", "baggage": "tellback.run=job%207"}
    (record,) = recorded()
    assert (record["trace"], record["parent"], record["run"]) == (TRACE, SPAN, "job 7")
    with tellback.extract(None), tellback.extract({"traceparent": [GOOD]}):  # nothing to go on with
        tellback.event("e")
    assert "trace" not in recorded()[-1]


def test_a_header_that_comes_twice_is_none() -> None:
    assert found([("traceparent", GOOD), ("Traceparent", GOOD)]) == {}


def test_nothing_goes_out_where_there_is_nothing(recorded: Recorded) -> None:
    assert tellback.inject() == {}
    with tellback.bound(trace="no trace id", span="x", user="guido", run="r" * 300):
        assert tellback.inject({"a": "b"}) == {"a": "b"}
        assert "guido" not in str(tellback.environ({}))


def test_a_carrier_that_refuses_does_not_disturb(recorded: Recorded) -> None:
    class Closed(dict[str, str]):
        def __setitem__(self, key: str, value: str) -> None:
            raise RuntimeError("headers were sent")

    with tellback.span("s"):
        assert tellback.inject(Closed()) == {}


def test_a_subprocess_goes_on(recorded: Recorded, spool: Path) -> None:
    code = """
        import tellback
        tellback.init("child")
        tellback.event("e")
        with tellback.span("s"):
            pass
    """
    with tellback.run("R", id="ärger 7") as run:
        source = str(Path(tellback.__file__).parents[1])
        base = {**os.environ, "PYTHONPATH": source, "TELLBACK_SPOOL": str(spool)}
        env = tellback.environ(base)
        assert set(env) - set(base) == {"TRACEPARENT", "BAGGAGE"}
        subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], env=env, check=True)
        above = run.span
    records = {r["name"]: r for r in recorded() if r["name"] in "es"}
    assert (records["e"]["run"], records["e"]["trace"], records["e"]["span"]) == ("ärger 7", run.trace, above)
    assert (records["s"]["run"], records["s"]["parent"]) == ("ärger 7", above)


def test_the_environment_is_a_strangers_too() -> None:
    assert propagation.from_environment({"TRACEPARENT": "x", "BAGGAGE": ",=,;,tellback.run=,%%%,tellback.run=%FF"}) in (
        {},
        {"run": "\ufffd"},
    )
    assert propagation.from_environment({"traceparent": GOOD}) == {}
