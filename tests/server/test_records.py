"""`POST /v1/records`: what is taken, what is refused and in which words, what is counted."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tellback.record import MAX_LINE, MAX_TEXT
from tellback.server.journal import Closed, Mark
from tellback.server.questions.asking import ask
from tests.server.house import House, attrs, house

SEGMENT = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("records") / "data") as made:
        yield made


def kept(served: House, line: bytes) -> dict[str, object]:
    """Post one line that is accepted; its row."""
    before = {segment for (segment,) in served.ask("SELECT segment FROM records")}
    reply = served.post(line)
    assert (reply.status, reply.json()["accepted"]) == (202, 1), reply.body
    columns = served.server.store.query("SELECT * FROM records LIMIT 0").columns
    [row] = [r for r in served.ask("SELECT * FROM records") if r[columns.index("segment")] not in before]
    return dict(zip(columns, row, strict=True))


def refused(served: House, line: bytes) -> str:
    """Post one line that is rejected between two good ones; the reason."""
    reply = served.post(b'{"name":"before"}\n' + line + b'\n{"name":"after"}\n')
    body = reply.json()
    assert (reply.status, body["accepted"], body["rejected"]) == (202, 2, 1), body
    [error] = body["errors"]
    assert error["line"] == 2
    return str(error["reason"])


BAD = {
    "broken JSON": (b'{"name": "a', "broken JSON: cut short"),
    "not JSON": (b"name=a", "broken JSON: invalid character"),
    "two objects": (b'{"name":"a"} {"name":"b"}', "broken JSON: trailing characters"),
    "a NUL outside text": (b'{"name":\0"a"}', "broken JSON"),
    "invalid UTF-8 in attributes": (b'{"attrs":{"a":"\xff"}}', "not UTF-8: invalid start byte 0xff"),
    "an encoded surrogate": (b'{"attrs":{"a":"\xed\xa0\x80"}}', "not UTF-8"),
    "a lone surrogate": (rb'{"name":"\ud800"}', "lone surrogate"),
    "time beyond 64 bits": (b'{"time":9223372036854775808}', "time: 9223372036854775808 does not fit 64 bits"),
    "duration as text": (b'{"duration":"abc"}', 'duration: expected integer ns, got "abc"'),
    "duration true": (b'{"duration":true}', "duration: expected integer ns, got true"),
    "value as text": (b'{"value":"1"}', 'value: expected a number, got "1"'),
    "value beyond floats": (b'{"value":1' + b"0" * 400 + b"}", "value: the number is out of range"),
    "infinite": (b'{"attrs":{"a":1e999}}', "broken JSON"),
    "not a number": (b'{"value":NaN}', "broken JSON"),
    "name as number": (b'{"name":1}', "name: expected text, got 1"),
    "attrs as array": (b'{"attrs":[1]}', "attrs: expected an object, got an array"),
    "an array": (b"[1]", "expected a JSON object, got an array"),
    "null": (b"null", "expected a JSON object, got null"),
    "unknown kind": (b'{"kind":"evnt"}', "kind: expected one of error, event, log, lost, metric"),
    "time without a zone": (b'{"time":"2026-11-01T00:00:00"}', "RFC 3339 text with a zone"),
    "no such day": (b'{"time":"2026-02-30T00:00:00Z"}', "RFC 3339"),
    "time out of reach": (b'{"time":"9999-01-01T00:00:00Z"}', "outside 1677 to 2262"),
    "nested": (b'{"attrs":{"a":' + b"[" * 63 + b"]" * 63 + b"}}", "attrs.a: nested deeper than 64"),
    "nested without end": (b'{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested deeper than 64"),
    "10 MB": (b'{"message":"' + b"x" * 10_000_000 + b'"}', "a line of 10000014 bytes: at most 1048576"),
}


@pytest.mark.parametrize("line", [line for line, _ in BAD.values()], ids=list(BAD))
def test_a_bad_line_is_named_and_its_neighbours_are_kept(served: House, line: bytes) -> None:
    expected = next(reason for bad, reason in BAD.values() if bad == line)
    before = served.ask("SELECT count(*) FROM quarantine")[0][0]
    assert expected in refused(served, line)
    [(sample,)] = served.ask(f"SELECT sample FROM quarantine ORDER BY received LIMIT 1 OFFSET {before}")
    assert sample.encode().startswith(line[:5])


def test_where_nothing_could_be_kept_the_answer_is_400_with_the_same_body(served: House) -> None:
    reply = served.post(b"x\ny\n")
    assert reply.status == 400
    assert [e["line"] for e in reply.json()["errors"]] == [1, 2]
    assert reply.json()["accepted"] == 0


def test_known_fields_reach_their_columns(served: House) -> None:
    row = kept(
        served,
        b'{"time":1700000000123456789,"kind":"span","name":"n","level":"info","message":"m","user":"u","session":"s",'
        b'"run":"r","trace":"t","span":"p","parent":"q","duration":5,"value":1.5,"attrs":{"a":[1,{"b":null}]},'
        b'"service":"sv","release":"1","environment":"prod","host":"h","os":"linux","python":"3.11","pid":7,"start":8}',
    )
    assert attrs(str(row.pop("attrs"))) == {"a": [1, {"b": None}]}
    del row["segment"], row["received"]
    assert str(row.pop("day")) == "2023-11-14"
    assert list(row.values()) == [
        "1", 1700000000123456789, "span", "n", "info", "m", "u", "s", "r", "t", "p", "q", 5, 1.5,
        "sv", "1", "prod", "h", "linux", "3.11", 7, 8, 0,
    ]  # fmt: skip


def test_defaults(served: House) -> None:
    row = kept(served, b"{}")
    assert (row["kind"], row["time"], row["name"]) == ("event", row["received"], None)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-01T10:00:00.123456789Z", 1793527200123456789),
        ("2026-11-01T10:00:00.1234567899+01:00", 1793523600123456789),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_rfc_3339_times_keep_their_ns(served: House, text: str, ns: int) -> None:
    assert kept(served, json.dumps({"time": text}).encode())["time"] == ns


def test_unknown_keys_move_into_attrs_and_step_aside(served: House) -> None:
    row = kept(served, b'{"rows":3,"attrs":{"rows":1},"offset":9,"segment":"x","project":"y","received":1,"day":"d"}')
    assert attrs(str(row["attrs"])) == {
        "rows": 1, "rows_": 3, "offset": 9, "segment": "x", "project": "y", "received": 1, "day": "d",
    }  # fmt: skip
    assert (row["project"], row["offset"]) == ("1", 0)


def test_a_key_twice_stands_once(served: House) -> None:
    row = kept(served, b'{"name":"a","name":"b","attrs":{"k":1,"k":2},"attrs":{"k":3,"k":4}}')
    assert (row["name"], attrs(str(row["attrs"]))) == ("b", {"k": 4})


@pytest.mark.parametrize("nested", [False, True])
def test_integers_beyond_64_bits_in_attributes_become_text_and_say_so(served: House, nested: bool) -> None:
    big = 2**63
    value = [[[[{"b": -big - 1}]]]] if nested else big
    row = kept(served, json.dumps({"attrs": {"a": value, "c": 2**63 - 1}}).encode())
    want = [[[[{"b": str(-big - 1)}]]]] if nested else str(big)
    assert attrs(str(row["attrs"])) == {"a": want, "c": 2**63 - 1, "tellback.altered": ["a"]}


def test_long_columns_are_cut_and_say_so_but_messages_are_not(served: House) -> None:
    long = "ü" * (MAX_TEXT + 1)
    row = kept(served, json.dumps({"name": long, "message": long, "attrs": {"tellback.altered": ["x"]}}).encode())
    assert row["name"] == long[:-1]
    assert row["message"] == long
    assert attrs(str(row["attrs"])) == {"tellback.altered": ["x", "name"]}


@pytest.mark.parametrize(
    ("word", "level"), [("WARNING", "warn"), ("Critical", "fatal"), ("info", "info"), ("Verbose", "verbose")]
)
def test_words_for_levels_become_opentelemetrys(served: House, word: str, level: str) -> None:
    assert kept(served, json.dumps({"level": word}).encode())["level"] == level


def test_nuls_in_text_are_kept(served: House) -> None:
    row = kept(served, rb'{"name":"a\u0000b","attrs":{"k\u0000":"v\u0000"}}')
    assert (row["name"], attrs(str(row["attrs"]))) == ("a\0b", {"k\0": "v\0"})


def test_a_line_of_the_greatest_size_is_taken(served: House) -> None:
    # Numbers of few letters and many digits: the canonical line is four times as long.
    line = b'{"attrs":{"a":[' + b"1e15," * ((MAX_LINE - 20) // 5) + b"1]}}"
    assert len(line) <= MAX_LINE
    row = kept(served, line)
    assert set(attrs(str(row["attrs"]))["a"]) == {1e15, 1}


# Slices


def process(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_the_process_header_stands_for_every_line_and_a_line_wins_over_it(served: House) -> None:
    header = process(
        {"kind": "process", "service": "rig", "release": "2", "pid": 3, "url": "http://x", "token_hash": "y"}
    )
    body = b'{"kind":"process","service":"never"}\n{"name":"p1"}\n{"name":"p2","service":"mine"}\n      \n'
    reply = served.post(body, Tellback_Process=header, Tellback_Segment="1" * 32, Tellback_Offset="0")
    assert reply.json() == {"accepted": 2, "rejected": 0, "duplicates": 0, "errors": []}
    found = served.ask('SELECT name, service, release, pid, "offset" FROM records WHERE segment = \'' + "1" * 32 + "'")
    assert sorted(found) == [("p1", "rig", "2", 3, 37), ("p2", "mine", "2", 3, 51)]


def test_a_segment_posted_as_a_file_brings_its_own_process(served: House) -> None:
    body = b'{"kind":"process","service":"filed"}\n{"name":"f1"}\n' + b"\0" * 1000
    assert served.post(body).json()["accepted"] == 1
    assert served.ask("SELECT service FROM records WHERE name = 'f1'") == [("filed",)]


def test_a_slice_again_adds_nothing_and_says_so(served: House) -> None:
    body = b'{"kind":"process"}\n{"name":"d1"}\n{"name":"d2"}\nbad\n   \n'
    headers = {"Tellback_Segment": SEGMENT, "Tellback_Offset": "0"}
    assert served.post(body, **headers).json()["accepted"] == 2
    again = served.post(body, **headers)
    assert (again.status, again.json()) == (202, {"accepted": 0, "rejected": 0, "duplicates": 3, "errors": []})
    longer = served.post(body + b'{"name":"d3"}\n', **headers).json()
    assert (longer["accepted"], longer["duplicates"]) == (1, 3)
    assert served.ask("SELECT count(*) FROM records WHERE name LIKE 'd_'") == [(3,)]


def test_a_torn_line_is_taken_once_it_is_whole(served: House) -> None:
    headers = {"Tellback_Segment": "2" * 32, "Tellback_Offset": "0"}
    whole = b'{"name":"t1"}\n{"name":"t2"}\n'
    assert served.post(whole[:20], **headers).json()["rejected"] == 1
    assert served.post(whole, **headers).json() == {"accepted": 1, "rejected": 0, "duplicates": 1, "errors": []}


def test_gaps_are_missing_until_they_come(served: House) -> None:
    lines = [b'{"name":"g%d"}\n' % n for n in range(4)]
    before = served.server.store.missing("1")
    for n in (3, 1):
        served.post(lines[n], Tellback_Segment="3" * 32, Tellback_Offset=str(n * len(lines[0])))
    served.ask("SELECT 1")
    assert served.server.store.missing("1") == before + 2
    for n in (0, 2):
        served.post(lines[n], Tellback_Segment="3" * 32, Tellback_Offset=str(n * len(lines[0])))
    served.ask("SELECT 1")
    assert served.server.store.missing("1") == before


@pytest.mark.parametrize(
    ("headers", "where"),
    [
        ({"Tellback_Segment": "xyz", "Tellback_Offset": "0"}, "Tellback-Segment"),
        ({"Tellback_Segment": SEGMENT.upper(), "Tellback_Offset": "0"}, "Tellback-Segment"),
        ({"Tellback_Offset": "0"}, "Tellback-Segment"),
        ({"Tellback_Segment": SEGMENT}, "Tellback-Offset"),
        ({"Tellback_Segment": SEGMENT, "Tellback_Offset": "-1"}, "Tellback-Offset"),
        ({"Tellback_Segment": SEGMENT, "Tellback_Offset": "9" * 30}, "Tellback-Offset"),
        ({"Tellback_Process": "!"}, "Tellback-Process"),
        ({"Tellback_Process": process([1])}, "Tellback-Process"),
        ({"Tellback_Process": process({"pid": "x"})}, "Tellback-Process"),
    ],
)
def test_a_bad_header_refuses_the_slice_and_names_itself(served: House, headers: dict[str, str], where: str) -> None:
    reply = served.post(b'{"name":"a"}', **headers)
    assert reply.status == 400
    assert reply.json()["error"]["where"] == where
    assert reply.json()["error"]["message"]


def test_what_senders_lost_is_counted_by_reason(served: House) -> None:
    before = dict(served.ask("SELECT reason, records FROM ledger")).get("dropped:budget", 0)
    served.post(b'{"kind":"lost","name":"budget","value":7}\n{"kind":"lost","name":"budget","value":2,"extra":1}\n')
    assert dict(served.ask("SELECT reason, records FROM ledger"))["dropped:budget"] == before + 9


def test_the_ledger_reconciles_to_zero(served: House) -> None:
    served.post(b'{"name":"a"}\nbad\n')
    ledger = dict(served.ask("SELECT reason, records FROM ledger"))
    assert served.ask("SELECT count(*) FROM records") == [(ledger["accepted"],)]
    assert served.ask("SELECT count(*) FROM quarantine") == [(ledger["quarantined"],)]


def test_what_senders_say_they_lost_cannot_stop_the_loader(tmp_path: Path) -> None:
    """Their sum left 64 bits: that load failed for ever, and nothing that came after it was ever seen."""
    with house(tmp_path / "data") as home:
        for _ in range(2):
            assert home.post(b'{"kind":"lost","name":"a","value":9007199254740990}\n' * 1100).status == 202
        assert home.post(b'{"name":"after"}').status == 202
        assert home.ask("SELECT count(*) FROM records WHERE name = 'after'") == [(1,)]
        for reason in "bcdefghijk" * 2:
            mark = Mark("1", "1", "records", 0, 0, 0, dropped={reason: 2**62})
            home.server.store.load([Closed(Path(reason), 0, 0, [(mark, [])])])
        assert ask(home.server.store, "store.ledger", {}).complete.dropped == 2**63 - 1


@pytest.mark.parametrize("line", [b"{}", b""])
def test_a_body_that_would_grow_beyond_memory_is_refused(served: House, line: bytes) -> None:
    reply = served.post((line + b"\n") * (32 << 20 >> len(line)))
    assert (reply.status, reply.json()["error"]["code"]) == (413, "too_large")
    process = base64.urlsafe_b64encode(json.dumps({"service": "x" * 4000}).encode()).decode()
    assert served.post((line + b"\n") * 100_000, Tellback_Process=process).status == 413
    assert served.post((line + b"\n") * 1_000, Tellback_Process=process).status == 202
